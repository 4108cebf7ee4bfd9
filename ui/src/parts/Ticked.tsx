/** A sentence of ours in which backticks mark names, as text with `code` around the names. */
export function Ticked({ text }: { text: string }) {
  return text.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : <span key={index}>{part}</span>));
}
