// Show only the volumes that need a look.
document.getElementById("bad").addEventListener("change", event => {
  for (const row of document.querySelectorAll("tr.fine")) row.hidden = event.target.checked;
});
