// Drag in a picture for window and level; a click into the acquired one marks the right vessel when that is switched on.
const CLICK = 4;  // pixels of the screen that a hand trembles
const NARROWEST_WINDOW = 2, WIDEST_WINDOW = 510, BRIGHTEST = 255;
const between = (low, value, high) => Math.min(high, Math.max(low, value));

function connectPointer(view) {
  const button = document.getElementById("mark"), pictures = document.querySelector(".pictures");
  let marking = false;
  button?.addEventListener("click", () => {
    marking = !marking;
    button.ariaPressed = String(marking);
    pictures.classList.toggle("marking", marking);
    if (marking) {
      view.change({blend: false});
      document.getElementById("slices").scrollIntoView({block: "start"});
    }
  });
  for (const canvas of Object.values(view.canvases)) {
    let start = null;
    canvas.addEventListener("pointerdown", event => {
      start = {x: event.clientX, y: event.clientY, window: view.state.window, level: view.state.level, moved: false};
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", event => {
      if (!start) return;
      const right = event.clientX - start.x, down = event.clientY - start.y;
      start.moved ||= Math.hypot(right, down) > CLICK;
      if (start.moved) view.change({
        window: between(NARROWEST_WINDOW, Math.round(start.window + right), WIDEST_WINDOW),
        level: between(0, Math.round(start.level + down), BRIGHTEST),
      });
    });
    canvas.addEventListener("pointerup", event => {
      if (start && !start.moved && marking && canvas === view.canvases.acquired) markVessel(view, event);
      start = null;
    });
    canvas.addEventListener("pointercancel", () => { start = null; });
  }
}

/** The line of --corrections for a click into the acquired picture. */
function markVessel(view, event) {
  const box = view.canvases.acquired.getBoundingClientRect();
  const [column, row] = view.pixelAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  const {origin, right, down} = view.slice;
  const point = origin.map((start, axis) => (start + column * right[axis] + row * down[axis]).toFixed(1));
  correct(view.data.subject, view.data.image, {point});
}
