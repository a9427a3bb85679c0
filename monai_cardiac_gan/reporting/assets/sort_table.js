// Press a heading to sort by it, again for the other way round; what is not known stays at the end.
const smallerFirst = {
  number: (one, other) => Number(one) - Number(other),
  text: (one, other) => one.localeCompare(other, "en", {numeric: true}),
};

for (const heading of document.querySelectorAll("th[data-sort]")) heading.querySelector("button").addEventListener("click", () => {
  const body = heading.closest("table").tBodies[0], column = heading.cellIndex;
  const isDescending = heading.ariaSort === "ascending";
  const valueOf = row => row.cells[column].dataset.value;
  const compare = (one, other) => {
    const [left, right] = [valueOf(one), valueOf(other)];
    if (left === "" || right === "") return (left === "") - (right === "");
    return (isDescending ? -1 : 1) * smallerFirst[heading.dataset.sort](left, right);
  };
  body.append(...[...body.rows].sort(compare));
  for (const each of heading.parentElement.cells) each.ariaSort = null;
  heading.ariaSort = isDescending ? "descending" : "ascending";
});
