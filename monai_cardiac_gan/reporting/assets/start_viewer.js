// Pictures and settings come with the page; without pictures there is no viewer.
async function startViewer() {
  const source = document.getElementById("viewer-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const [acquired, expected, anomaly] = await Promise.all(
    [data.acquired, data.expected, data.anomaly].map(url => (url ? readStrip(url, data.size, data.slices.length) : null)));
  const view = new SliceView(data, acquired, expected, anomaly);
  connectControls(view);
  connectPointer(view);
  connectKeys(view);
  connectCurve(view);
  view.draw();
  document.documentElement.dataset.ready = "true";
}
startViewer();
