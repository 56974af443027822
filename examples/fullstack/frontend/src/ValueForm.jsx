import { useState } from 'react';

/** onAdd(value) resolves to true when the value was stored; only then is the field emptied. */
export default function ValueForm({ onAdd }) {
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const value = text.trim();

  async function submit(event) {
    event.preventDefault();
    if (value === '' || busy) return;
    setBusy(true);
    if (await onAdd(value)) setText('');
    setBusy(false);
  }

  return (
    <form onSubmit={submit}>
      <label htmlFor="value">New value</label>
      <input id="value" value={text} maxLength={200} onChange={(event) => setText(event.target.value)} />
      <button type="submit" disabled={value === '' || busy}>
        Add
      </button>
    </form>
  );
}
