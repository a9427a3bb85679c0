// Show the subjects with one answer only.
document.getElementById("shown")?.addEventListener("change", event => {
  for (const row of document.querySelectorAll("tr[data-answer]"))
    row.hidden = event.target.value !== "" && row.dataset.answer !== event.target.value;
});
