import { useEffect, useState } from 'react';
import { addValue, listValues } from './api.js';
import ValueForm from './ValueForm.jsx';
import ValueList from './ValueList.jsx';

export default function App() {
  const [values, setValues] = useState(null);
  const [error, setError] = useState('');

  useEffect(() => {
    let gone = false;
    listValues().then(
      (loaded) => !gone && setValues(loaded),
      (cause) => !gone && setError(`The values could not be loaded: ${cause.message}`),
    );
    return () => {
      gone = true;
    };
  }, []);

  async function add(value) {
    try {
      const added = await addValue(value);
      setValues((before) => [added, ...(before ?? [])]);
      setError('');
      return true;
    } catch (cause) {
      setError(`The value was not added: ${cause.message}`);
      return false;
    }
  }

  return (
    <main>
      <h1>Values</h1>
      <ValueForm onAdd={add} />
      {error && <p role="alert">{error}</p>}
      <ValueList values={values} failed={error !== ''} />
    </main>
  );
}
