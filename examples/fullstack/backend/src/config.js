const NAMES = ['MYSQL_HOST', 'MYSQL_USER', 'MYSQL_ROOT_PASSWORD', 'MYSQL_DATABASE', 'MYSQL_PORT'];

/**
 * Reads the database's address and account, and the port to listen on, from environment variables.
 * Throws one error that names every variable that is missing or wrong; it never quotes a value.
 */
export function readConfig(env) {
  const problems = NAMES.filter((name) => !env[name]).map((name) => `${name} is not set`);
  if (env.MYSQL_PORT && !isPort(env.MYSQL_PORT)) problems.push('MYSQL_PORT is not a port (1 to 65535)');
  if (env.PORT && !isPort(env.PORT)) problems.push('PORT is not a port (1 to 65535)');
  if (problems.length > 0) {
    throw new Error(`${problems.join('; ')}. On Elastic Beanstalk these are environment properties.`);
  }
  return {
    port: Number(env.PORT || 5000),
    mysql: {
      host: env.MYSQL_HOST,
      port: Number(env.MYSQL_PORT),
      user: env.MYSQL_USER,
      password: env.MYSQL_ROOT_PASSWORD,
      database: env.MYSQL_DATABASE,
    },
  };
}

function isPort(text) {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;
}
