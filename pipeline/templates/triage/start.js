// What happens when, and the beginning.

function listen() {
  document.addEventListener("keydown", onKey);
  for (const button of document.querySelectorAll("[data-verdict]")) {
    button.onclick = () => answer(button.dataset.verdict);
  }
  for (const button of document.querySelectorAll("[data-filter]")) {
    button.onclick = () => {
      filter = button.dataset.filter;
      linesShown = LINES_A_PAGE;
      drawList();
    };
  }
  byId("skip").onclick = skip;
  byId("undo").onclick = undo;
  byId("withdraw").onclick = () => withdraw([current]);
  byId("to-one").onclick = toOne;
  byId("to-list").onclick = byId("done-list").onclick = toList;
  byId("to-help").onclick = openHelp;
  byId("close-help").onclick = () => byId("help").close();
  byId("who").onclick = askName;
  byId("name-form").onsubmit = giveName;
  byId("search").oninput = () => searchFor(byId("search").value);
  byId("search").onkeydown = openFirst;
  byId("more").onclick = () => {
    linesShown += LINES_A_PAGE;
    drawList();
  };
  byId("use-keys").checked = localStorage.getItem("ojeon keys") !== "off";
  byId("use-keys").onchange = () => localStorage.setItem("ojeon keys", usesKeys() ? "on" : "off");
  if (byId("together")) {
    byId("together").onchange = announceTogether;
    byId("rest").onclick = () => drawAlike(current, true);
  }
  tabs.onmessage = hear;
  document.addEventListener("visibilitychange", () => document.hidden || poll());
  window.addEventListener("beforeunload", (event) => saving && event.preventDefault());
}

async function start() {
  listen();
  let told;
  for (;;) {
    try {
      told = await ask("/api/texts");
      break;
    } catch (error) {
      alarm("offline", error.status === 403 ? say.stranger : say.offline);
      await patience(1000);
      byId("retry").hidden = true;
    }
  }
  calm("offline");
  for (const text of told.texts) {
    texts.set(text.key, text);
    if (!groups.has(text.group)) groups.set(text.group, []);
    groups.get(text.group).push(text.key);
  }
  learnAll(told);
  byId("loading").hidden = true;
  const left = kept("current", null);
  if (left !== null && texts.has(left)) show(left, { focus: false });
  else advance();
  const unsaved = kept("unsaved", null);
  if (unsaved && Object.keys(unsaved.seen).every((key) => texts.has(key))) deliver(unsaved);
  setInterval(poll, POLL_EVERY);
  if (!reviewer) askName();
}

start();
