// Keys of the viewer. They leave alone whoever types; sliders and tables that have the focus keep the arrows for themselves.
function connectKeys(view) {
  const last = view.data.slices.length - 1;
  const toggle = name => view.change({[name]: !view.state[name]});
  const step = by => view.change({index: view.state.index + by});
  const everywhere = {
    ArrowLeft: () => step(-1), ArrowRight: () => step(1),
    b: () => toggle("blend"), c: () => toggle("circle"), h: () => toggle("hole"), z: () => toggle("whole"),
    m: () => view.anomaly && toggle("spreads"), r: () => view.change({...DEFAULTS}),
  };
  const inViewer = {
    ArrowUp: () => step(-1), ArrowDown: () => step(1),
    Home: () => view.change({index: 0}), End: () => view.change({index: last}),
  };
  document.addEventListener("keydown", event => {
    const isLetter = event.key.length === 1, at = event.target;
    if (event.ctrlKey || event.altKey || event.metaKey || at.closest("textarea, select")) return;
    if (!isLetter && at.closest("input[type=range], .scroll")) return;
    const key = isLetter ? event.key.toLowerCase() : event.key;
    const act = everywhere[key] ?? (at.closest(".viewer") ? inViewer[key] : undefined);
    if (!act) return;
    event.preventDefault();
    act();
  });
}
