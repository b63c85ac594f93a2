// Progress, and what is on the screen.

function drawProgress() {
  const all = [...texts.values()];
  const done = all.filter((text) => stateOf(text.key) !== "open");
  const rows = (some) => some.reduce((sum, text) => sum + text.rows, 0);
  const values = { done: done.length, all: all.length, rows_done: rows(done), rows_all: rows(all) };
  byId("bar").max = Math.max(values.all, 1);
  byId("bar").value = values.all ? values.done : 1;
  const words = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value)]));
  const told = facts.blind ? [say.progress_short] : [say.progress_short, say.progress_rows];
  byId("bar-words").textContent = told.map((phrase) => fill(phrase, words)).join(" · ");
}

function drawAll() {
  drawProgress();
  byId("undo").hidden = trail.length === 0;
  byId("who").textContent = reviewer ? fill(say.name_button, { name: reviewer }) : byId("who").textContent;
  byId("one").hidden = view !== "one" || current === null;
  byId("done").hidden = view !== "one" || current !== null;
  byId("list").hidden = view !== "list";
  if (view === "list") drawList();
  else if (current === null) drawDone();
  else draw(current);
}

function drawDone() {
  const split = [...texts.keys()].filter((key) => stateOf(key) === "split").length;
  byId("done-split").hidden = split === 0;
  byId("done-split").textContent = fill(say.finished_split, { count: number(split) });
  if (texts.size === 0) {
    byId("done-heading").textContent = say.nothing_waits;
    byId("done-lead").hidden = byId("done-list").hidden = true;
  }
}

function setView(name) {
  view = name;
  byId("to-one").setAttribute("aria-pressed", String(name === "one"));
  byId("to-list").setAttribute("aria-pressed", String(name === "list"));
}

function toOne() {
  if (current !== null) return show(current);
  return advance();
}

function toList() {
  linesShown = LINES_A_PAGE;
  setView("list");
  drawAll();
  byId("list-heading").focus();
}

function toSearch() {
  if (view !== "list") toList();
  byId("search").focus();
  byId("search").select();
}
