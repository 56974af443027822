import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  // nginx reaches the development server by the name of its service.
  server: { host: true, port: 3000, strictPort: true, allowedHosts: ['frontend'] },
  test: {
    environment: 'jsdom',
    setupFiles: './src/setup-tests.js',
    reporters: ['default', ['junit', { outputFile: 'reports/junit.xml' }]],
  },
});
