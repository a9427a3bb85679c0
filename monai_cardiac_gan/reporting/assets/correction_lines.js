// Lines for --corrections in the text field "lines": one for each volume, which further marks fill in.
const quoted = text => /[",;\s]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
const corrections = new Map();

/** Take a mark into the line of a volume: {point: [x, y, z]}, {bottom: z} or {top: z}, as texts in scanner millimetres. */
function correct(subject, image, mark) {
  const lines = document.getElementById("lines"), key = JSON.stringify([subject, image]);
  const known = {point: ["", "", ""], bottom: "", top: "", line: null, ...corrections.get(key), ...mark};
  const line = [quoted(subject), ...known.point, quoted(image), known.bottom, known.top].join(",") + "\n";
  // a replacement text would expand "$&" of a name
  if (known.line !== null && lines.value.includes(known.line)) lines.value = lines.value.replace(known.line, () => line);
  else lines.value += line;
  corrections.set(key, {...known, line});
}
