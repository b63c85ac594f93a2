// Who reviews, and the help.

function askName() {
  byId("name-field").value = reviewer;
  byId("name-wrong").textContent = "";
  if (!byId("name").open) byId("name").showModal();
  byId("name-field").select();
}

async function giveName(event) {
  event.preventDefault();
  try {
    reviewer = (await ask("/api/reviewer", { name: byId("name-field").value })).name;
  } catch (error) {
    byId("name-wrong").textContent = error.status === 422 ? byId("name-form").dataset.wrong : say.offline;
    byId("name-field").focus();
    return;
  }
  byId("name").close();
  drawAll();
  tabs.postMessage({ reviewer });
  if (view === "one" && current !== null) byId("text").focus();
}

function openHelp() {
  byId("help").showModal();
}
