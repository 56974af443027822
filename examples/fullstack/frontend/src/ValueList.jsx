/** values is null until they are loaded. */
export default function ValueList({ values, failed }) {
  if (values === null) return failed ? null : <p>Loading…</p>;
  if (values.length === 0) return <p>No values yet.</p>;
  return (
    <ul>
      {values.map(({ id, value }) => (
        <li key={id}>{value}</li>
      ))}
    </ul>
  );
}
