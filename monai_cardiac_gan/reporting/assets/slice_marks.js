// What is written and drawn on a picture: whose it is, where, how large, which way round.
const MARKS = {circle: "#ffb000", hole: "#40c4ff", letters: "#ffffff"};
const SCALE_BAR_MM = 20;

function outlinedText(context, text, x, y, align, baseline, widest) {
  Object.assign(context, {textAlign: align, textBaseline: baseline, lineJoin: "round", lineWidth: 3, strokeStyle: "#000", fillStyle: MARKS.letters});
  context.strokeText(text, x, y, widest);
  context.fillText(text, x, y, widest);
}

/** Letters of the body's directions at the edges, and a bar of 20 mm. Lengths in pixels of the screen. */
function drawFrame(context, side, pixelsPerMm) {
  context.font = "bold 13px system-ui, sans-serif";
  for (const [letter, x, y] of [["R", 0.03, 0.5], ["L", 0.97, 0.5], ["A", 0.5, 0.03], ["P", 0.5, 0.97]])
    outlinedText(context, letter, x * side, y * side, x < 0.4 ? "left" : x > 0.6 ? "right" : "center", y < 0.4 ? "top" : y > 0.6 ? "bottom" : "middle");
  const left = 0.03 * side, bottom = 0.96 * side, length = SCALE_BAR_MM * pixelsPerMm;
  for (const [colour, width] of [["#000", 5], [MARKS.letters, 2.5]]) {
    Object.assign(context, {strokeStyle: colour, lineWidth: width});
    context.beginPath();
    context.moveTo(left, bottom);
    context.lineTo(left + length, bottom);
    context.stroke();
  }
  context.font = "12px system-ui, sans-serif";
  outlinedText(context, `${SCALE_BAR_MM} mm`, left, bottom - 5, "left", "bottom");
}

/** Whose picture it is and which slice, in the upper left corner; which of the pictures, in the lower right one. */
function drawCaption(context, side, lines, kind) {
  context.font = "12px system-ui, sans-serif";
  const widest = 0.45 * side;
  lines.forEach((line, row) => outlinedText(context, line, 0.03 * side, 0.03 * side + 15 * row, "left", "top", row ? undefined : widest));
  outlinedText(context, kind, 0.97 * side, 0.97 * side, "right", "bottom", widest);
}

/** The aorta's circle; places in pixels of the picture, whose centres have whole numbers. */
function drawCircle(context, {centre, radius}, toScreen, scale) {
  if (!centre || !radius) return;
  Object.assign(context, {strokeStyle: MARKS.circle, lineWidth: 1.8});
  context.beginPath();
  context.arc(toScreen.x(centre[0]), toScreen.y(centre[1]), radius * scale, 0, 2 * Math.PI);
  context.stroke();
}

/** What was hidden from the networks: left, top, width and height in pixels of the picture. */
function drawHole(context, {hole}, toScreen, scale) {
  if (!hole) return;
  const [left, top, width, height] = hole;
  Object.assign(context, {strokeStyle: MARKS.hole, lineWidth: 1.4});
  context.setLineDash([5, 4]);
  context.strokeRect(toScreen.x(left - 0.5), toScreen.y(top - 0.5), width * scale, height * scale);
  context.setLineDash([]);
}
