// Sliders, boxes and buttons of the viewer: each sets one thing, and shows it again when a key or a drag set it.
const byId = id => document.getElementById(id);

function connectControls(view) {
  const ranges = {slice: "index", window: "window", level: "level"}, boxes = ["circle", "hole", "whole"];
  for (const [id, name] of Object.entries(ranges)) byId(id).addEventListener("input", event => view.change({[name]: Number(event.target.value)}));
  for (const id of boxes) byId(id).addEventListener("change", event => view.change({[id]: event.target.checked}));
  byId("share").addEventListener("input", event => view.change({share: event.target.value / 100}));
  byId("view-side").addEventListener("click", () => view.change({blend: false}));
  byId("view-blend").addEventListener("click", () => view.change({blend: true}));
  byId("map-spreads")?.addEventListener("click", () => view.change({spreads: true}));
  byId("map-grey")?.addEventListener("click", () => view.change({spreads: false}));
  byId("reset").addEventListener("click", () => view.change({...DEFAULTS}));
  for (const button of document.querySelectorAll("[data-step]"))
    button.addEventListener("click", () => view.change({index: view.state.index + Number(button.dataset.step)}));
  for (const button of document.querySelectorAll("[data-to-mm]")) button.addEventListener("click", () => {
    view.goTo(Number(button.dataset.toMm));
    document.querySelector(".viewer").focus({preventScroll: true});  // so that the arrows step from there
    byId("slices").scrollIntoView({block: "start"});
  });

  const show = () => {
    const {state} = view;
    for (const [id, name] of Object.entries(ranges)) byId(id).value = state[name];
    for (const id of boxes) byId(id).checked = state[id];
    byId("share").value = 100 * state.share;
    byId("share-label").hidden = !state.blend;
    byId("view-side").ariaPressed = String(!state.blend);
    byId("view-blend").ariaPressed = String(state.blend);
    for (const figure of document.querySelectorAll(".pictures .side")) figure.hidden = state.blend;
    document.querySelector(".pictures .blend").hidden = !state.blend;
    document.querySelector(".colour-bar").hidden = state.blend;
    if (view.anomaly) {
      byId("map-spreads").ariaPressed = String(state.spreads);
      byId("map-grey").ariaPressed = String(!state.spreads);
    }
    drawColourBar(view);
    describeSlice(view);
  };
  view.addEventListener("change", show);
  show();
}

/** Say which slice it is and what was measured at the nearest level, and mark that level in the table. */
function describeSlice({slice}) {
  const place = `slice ${slice.slice} (as in the file), ${slice.mm.toFixed(1)} mm from the top`;
  const rows = [...document.querySelectorAll("tr[data-mm]")];
  const distance = row => Math.abs(Number(row.dataset.mm) - slice.mm);
  const nearest = rows.reduce((best, row) => (best && distance(best) <= distance(row) ? best : row), null);
  for (const row of rows) row.ariaCurrent = row === nearest ? "true" : null;
  const level = nearest ? `; nearest level, ${Number(nearest.dataset.mm).toFixed(0)} mm, ${nearest.dataset.summary}` : "";
  byId("slice").setAttribute("aria-valuetext", place);
  byId("slice-text").textContent = place + (slice.hole ? "" : "; nothing painted here") + level;
}

/** The colours of the difference with their ends. */
function drawColourBar({data, range, inSpreads}) {
  const bar = byId("bar"), context = bar.getContext("2d");
  bar.width = data.colours.length;
  data.colours.forEach((colour, column) => {
    context.fillStyle = `rgb(${colour.join(" ")})`;
    context.fillRect(column, 0, 1, bar.height);
  });
  const end = inSpreads ? data.anomalyRange : range;
  byId("bar-low").textContent = `−${end}`;
  byId("bar-high").textContent = `+${end}`;
  byId("bar-unit").textContent = inSpreads
    ? "anomaly map: acquired less expected, in spreads of what may be expected"
    : "difference in grey values of 0 to 255";
}
