// A click into a volume's overview corrects its track: a point on an axial slice, an end on a view along the body.
const placeIn = (tile, column, row) =>
  tile.origin.map((start, axis) => (start + (column - tile.left) * tile.right[axis] + row * tile.down[axis]).toFixed(1));

for (const image of document.querySelectorAll("img[data-tiles]")) image.addEventListener("click", event => {
  const scale = image.naturalWidth / image.clientWidth || 1;
  const column = event.offsetX * scale, row = event.offsetY * scale;
  for (const tile of JSON.parse(image.dataset.tiles)) {
    if (column < tile.left || column >= tile.left + tile.width) continue;
    const point = placeIn(tile, column, row);
    const mark = tile.middle == null ? {point} : {[row < tile.middle ? "top" : "bottom"]: point[2]};
    correct(image.dataset.subject, image.dataset.image, mark);
  }
});
