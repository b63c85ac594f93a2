"use strict";
// One page, one script. Texts come as JSON and reach the screen through textContent alone. Nothing is shown as saved
// before the server has said that it is in the store; what is not yet saved survives a reload of this window.

const byId = (id) => document.getElementById(id);
const facts = JSON.parse(byId("facts").textContent);
const say = JSON.parse(byId("say").textContent);
const language = document.documentElement.lang;

const POLL_EVERY = 3000; // milliseconds
const PATIENCE = 10000;
const LONGEST_PAUSE = 8000;
const ALIKE_SHOWN = 12;
const LINES_A_PAGE = 200;
const COIN_TOSS = 0.5; // a suggestion no surer than this is told, not recommended
const SAID_LENGTH = 40; // characters of a text inside a sentence

const texts = new Map(); // key -> text, in the order in which they are asked about
const groups = new Map(); // group -> keys
let said = {}; // key -> {seen, answers}
let revision = null; // of all that stands, as far as this window knows
let reviewer = facts.reviewer;
let current = null; // key of the text on the screen
let view = "one";
let filter = "open";
let linesShown = LINES_A_PAGE;
let leftOut = new Set(); // keys like the current one that get no answer with it
let saving = false;
let stale = false; // the text on the screen was answered elsewhere
const skipped = new Set(kept("skipped", []));
const trail = kept("trail", []); // what this window has answered: a list of keys each
const tabs = new BroadcastChannel(`ojeon ${facts.run}`);

// ---- words ------------------------------------------------------------------------------------------------------

const number = (value) => new Intl.NumberFormat(language).format(value);
// Never more sure than it is: 0.997 is 99 %.
const percent = (share) => new Intl.NumberFormat(language, { style: "percent" }).format(Math.floor(share * 100) / 100);
const day = (date) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(date));

function fill(sentence, values = {}) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function shownText(text) {
  return text === null ? say.nothing : text === "" ? say.empty : text;
}

function inSentence(key) {
  const letters = [...shownText(texts.get(key).text)];
  const short = letters.length > SAID_LENGTH ? `${letters.slice(0, SAID_LENGTH).join("")}…` : letters.join("");
  return `“${short}”`;
}

function about(keys, one, more, values = {}) {
  const words = { text: inSentence(keys[0]), count: number(keys.length - 1), ...values };
  return fill(keys.length > 1 ? more : one, words);
}

// ---- what stands ------------------------------------------------------------------------------------------------

const answersTo = (key) => said[key]?.answers ?? [];
const seenOf = (key) => said[key]?.seen ?? "";
const ownAnswer = (key) => answersTo(key).find((answer) => answer.reviewer === reviewer);
const isHidden = (answer) => facts.blind && answer.reviewer !== reviewer;

function stateOf(key) {
  const verdicts = new Set(answersTo(key).map((answer) => answer.verdict));
  return verdicts.size === 0 ? "open" : verdicts.size === 1 || facts.blind ? "done" : "split";
}

function wordsOf(answer) {
  if (isHidden(answer)) return fill(say.someone, { reviewer: answer.reviewer });
  const word = fill(say.by, { reviewer: answer.reviewer, verdict: say.verdicts[answer.verdict] });
  return answer.note ? `${word} (${answer.note})` : word;
}

const allSaid = (key) => answersTo(key).map(wordsOf).join(", ");
const openAlike = (key) =>
  (groups.get(texts.get(key).group) ?? []).filter((other) => other !== key && stateOf(other) === "open");

/** The next open text behind the current one, going round; skipped ones only when nothing else is left. */
function nextKey() {
  const keys = [...texts.keys()];
  const start = current === null ? 0 : keys.indexOf(current) + 1;
  const round = [...keys.slice(start), ...keys.slice(0, start)].filter((key) => stateOf(key) === "open");
  const fresh = round.find((key) => !skipped.has(key));
  if (fresh !== undefined) return fresh;
  skipped.clear();
  keep("skipped", []);
  return round[0] ?? null;
}

function learnAll(told) {
  said = told.said;
  revision = told.revision;
}

/** Take in what stands about a few texts; where that is all that changed, nothing more need be asked. */
function learnSome(told) {
  Object.assign(said, told.said);
  if (told.since === revision && told.revision) revision = told.revision;
}

// ---- keeping in this window -------------------------------------------------------------------------------------

function kept(name, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(`${facts.run} ${facts.blind} ${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function keep(name, value) {
  try {
    sessionStorage.setItem(`${facts.run} ${facts.blind} ${name}`, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing still works; only a reload forgets.
  }
}

const usesKeys = () => byId("use-keys").checked;

// ---- speaking with the server -----------------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, told) {
    super(told.error ?? "");
    this.status = status;
    this.told = told;
  }
}

async function ask(path, body) {
  const options = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  const told = await response.json();
  if (!response.ok) throw new Refused(response.status, told);
  return told;
}

let alarmed = ""; // what the alarm is about

function alarm(about_, sentence) {
  alarmed = about_;
  const place = byId("alarm");
  if (place.textContent !== sentence) place.textContent = sentence;
}

function calm(about_) {
  if (alarmed === about_) alarm("", "");
}

function tell(sentence, good = false) {
  byId("status").textContent = sentence;
  byId("status").classList.toggle("good", good);
}

async function poll() {
  if (saving) return;
  try {
    const told = await ask(`/api/said?seen=${revision}`);
    if (alarmed === "offline") tell(say.back_again);
    calm("offline");
    if (saving || !told.said) return;
    const before = current === null ? "" : seenOf(current);
    learnAll(told);
    noticeOthers(before);
  } catch (error) {
    if (!alarmed) alarm("offline", error.status === 403 ? say.stranger : say.offline);
  }
}

/** What others said meanwhile: the text on the screen stays, with a notice. */
function noticeOthers(before) {
  if (current !== null && seenOf(current) !== before) stale = true;
  if (current === null && nextKey() !== null && view === "one") return advance();
  drawAll();
}

// ---- answering --------------------------------------------------------------------------------------------------

function answer(verdict) {
  if (saving || current === null || view !== "one") return;
  if (document.querySelector(`[data-verdict="${verdict}"]`).disabled) return;
  if (!reviewer) return askName();
  const keys = [current, ...(isTogether() ? openAlike(current).filter((key) => !leftOut.has(key)) : [])];
  send({ verdict, keys, note: byId("note").value.trim() });
}

function withdraw(keys) {
  if (saving) return;
  send({ verdict: "WITHDRAWN", keys, note: "" });
}

function send({ verdict, keys, note }) {
  const seen = Object.fromEntries(keys.map((key) => [key, seenOf(key)]));
  deliver({ reviewer, verdict, note, seen });
}

/** Send a word until the server has taken or refused it; sending it twice does no harm. */
async function deliver(word) {
  saving = true;
  keep("unsaved", word);
  document.body.classList.add("saving");
  tell(say.saving);
  for (let pause = 500; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      const told = await ask("/api/answers", word);
      release();
      return settle(word, told);
    } catch (error) {
      if (error instanceof Refused && error.status < 500 && error.status !== 403) {
        release();
        return refuse(word, error);
      }
      alarm("unsaved", whyUnsaved(word, error));
      await patience(pause);
    }
  }
}

function release() {
  saving = false;
  keep("unsaved", null);
  document.body.classList.remove("saving");
  byId("retry").hidden = true;
  calm("unsaved");
}

function whyUnsaved(word, error) {
  const verdict = say.verdicts[word.verdict];
  const sentence = about(Object.keys(word.seen), say.unsaved, say.unsaved_more, { verdict });
  if (!(error instanceof Refused)) return sentence;
  return `${sentence} ${error.status === 403 ? say.stranger : fill(say.store_failed, { why: error.message })}`;
}

function patience(pause) {
  return new Promise((go) => {
    byId("retry").hidden = false;
    byId("retry").onclick = go;
    setTimeout(go, pause);
  });
}

function settle(word, told) {
  learnSome(told);
  tabs.postMessage("said");
  const keys = Object.keys(word.seen);
  if (word.verdict === "WITHDRAWN") {
    tell(about(keys, say.withdrawn_one, say.withdrawn_more), true);
    forgetTrail(keys);
    show(keys[0]);
  } else {
    tell(about(keys, say.saved_one, say.saved_more, { verdict: say.verdicts[word.verdict] }), true);
    trail.push(keys);
    keep("trail", trail);
    keys.forEach((key) => skipped.delete(key));
    advance();
  }
}

function refuse(word, error) {
  const keys = Object.keys(word.seen);
  if (error.status === 409) {
    learnSome(error.told);
    stale = true;
    const undoing = word.verdict === "WITHDRAWN";
    if (undoing) forgetTrail(keys);
    drawAll();
    tell(undoing ? say.undo_refused : fill(say.changed, { count: number(error.told.changed.length) }));
  } else {
    tell(fill(say.not_taken, { why: error.message }));
  }
}

function undo() {
  if (saving) return;
  const keys = trail.at(-1)?.filter((key) => texts.has(key) && ownAnswer(key));
  if (!keys) return tell(say.nothing_to_undo);
  if (keys.length === 0) {
    forgetTrail(trail.at(-1));
    return undo();
  }
  withdraw(keys);
}

/** An answer that was taken back is no longer to be undone, however it was taken back. */
function forgetTrail(keys) {
  const gone = new Set(keys);
  const left = trail.map((line) => line.filter((key) => !gone.has(key))).filter((line) => line.length);
  trail.splice(0, trail.length, ...left);
  keep("trail", trail);
}

function skip() {
  if (saving || current === null || view !== "one") return;
  skipped.add(current);
  keep("skipped", [...skipped]);
  tell(fill(say.skipped, { text: inSentence(current) }));
  advance();
}

// ---- one text ---------------------------------------------------------------------------------------------------

function advance() {
  const key = nextKey();
  if (key === null) finish();
  else show(key);
}

function show(key, { focus = true } = {}) {
  current = key;
  keep("current", key);
  stale = false;
  leftOut = new Set();
  byId("note").value = "";
  if (byId("together")) {
    byId("together").checked = false;
    byId("alike").replaceChildren();
    byId("alike").dataset.keys = "";
  }
  setView("one");
  drawAll();
  window.scrollTo(0, 0);
  if (focus) byId("text").focus({ preventScroll: true });
  readMore(key);
}

function finish() {
  current = null;
  keep("current", null);
  setView("one");
  drawAll();
  byId("done-heading").focus();
}

function draw(key) {
  const text = texts.get(key);
  const keys = [...texts.keys()];
  drawText(text.text);
  byId("place").textContent = fill(say.place, { place: number(keys.indexOf(key) + 1), all: number(keys.length) });
  byId("weight").textContent = fill(say.rows, { rows: number(text.rows) });
  drawStanding(key);
  for (const button of document.querySelectorAll("[data-verdict]")) drawChoice(button, text, key);
  if (facts.blind) return;
  byId("why").textContent = facts.reasons[text.reason] ?? "";
  byId("suggested").textContent = text.suggestion
    ? `${say.verdicts[text.suggestion]} · ${percent(text.confidence)}`
    : say.no_suggestion;
  byId("when").textContent = whenSeen(text);
  drawAlike(key);
}

function drawText(words) {
  const place = byId("text");
  const shown = shownText(words);
  if (place.textContent !== shown) place.textContent = shown;
  place.dataset.size = shown.length > 90 ? "long" : shown.length > 28 ? "middle" : "short";
  place.classList.toggle("void", !words);
}

function drawStanding(key) {
  const state = stateOf(key);
  const place = byId("stands");
  place.hidden = state === "open";
  place.className = stale || state === "split" ? "stands notice" : "stands";
  const sentence = state === "split" ? say.conflict : stale ? say.elsewhere : say.answered;
  place.textContent = state === "open" ? "" : fill(sentence, { said: allSaid(key) });
  byId("withdraw").hidden = !ownAnswer(key);
}

function drawChoice(button, text, key) {
  button.disabled = text.text === null && button.dataset.verdict !== "NEITHER"; // no value has no half of the day
  const own = ownAnswer(key)?.verdict === button.dataset.verdict;
  button.setAttribute("aria-pressed", String(own));
  const suggested = text.suggestion === button.dataset.verdict;
  button.classList.toggle("suggested", suggested && text.confidence > COIN_TOSS);
  if (button.dataset.verdict !== "NEITHER") {
    button.querySelector(".hint").textContent = suggested
      ? fill(say.suggested, { confidence: percent(text.confidence) })
      : "";
  }
}

function whenSeen(text) {
  if (!text.first || !text.last) return "–";
  const dates = { first: day(text.first), last: day(text.last) };
  return fill(dates.first === dates.last ? say.once : say.span, dates);
}

/** The text whole and what was read in it; asked for when it is on the screen. */
async function readMore(key) {
  drawPieces(null);
  try {
    const told = await ask(`/api/texts/${key}`);
    if (current !== key) return;
    drawText(told.text);
    drawPieces(told);
  } catch (error) {
    if (!alarmed) alarm("offline", error.status === 403 ? say.stranger : say.offline);
  }
}

function drawPieces(told) {
  if (facts.blind) return;
  const none = told && !told.pieces.length ? [element("li", "soft", say.unread)] : [];
  byId("pieces").replaceChildren(...none, ...(told?.pieces ?? []).map(piece));
  byId("may-be").hidden = !told?.readings.length;
  byId("readings").replaceChildren(...(told?.readings ?? []).map(reading));
}

function piece({ kind, text }) {
  const item = element("li", `piece ${kind}`);
  item.append(element("b", "", text), element("span", "", say.kinds[kind]));
  return item;
}

function reading({ text, times, reason }) {
  const line = element("div", "reading");
  const words = reason ? facts.reasons[reason] : times.join(say.or);
  line.append(element("b", "", text), element("span", "", words));
  return line;
}

function element(name, classes = "", words = undefined) {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  if (words !== undefined) made.textContent = words;
  return made;
}

// ---- texts like it ----------------------------------------------------------------------------------------------

const isTogether = () => Boolean(byId("together")?.checked);

function drawAlike(key, all = false) {
  const alike = stateOf(key) === "open" ? openAlike(key) : [];
  byId("siblings").hidden = alike.length === 0;
  const shown = all ? alike : alike.slice(0, Math.max(ALIKE_SHOWN, byId("alike").childElementCount));
  if (byId("alike").dataset.keys !== shown.join()) byId("alike").replaceChildren(...shown.map(sibling));
  byId("alike").dataset.keys = shown.join();
  byId("rest").hidden = shown.length === alike.length;
  byId("rest").textContent = fill(say.rest, { count: number(alike.length - shown.length) });
  drawTogether();
}

function sibling(key) {
  const text = texts.get(key);
  const line = element("label");
  const box = element("input");
  box.type = "checkbox";
  box.checked = !leftOut.has(key);
  box.onchange = () => {
    if (box.checked) leftOut.delete(key);
    else leftOut.add(key);
    drawTogether();
  };
  line.append(box, element("bdi", "", shownText(text.text)), element("small", "", number(text.rows)));
  const item = element("li");
  item.append(line);
  return item;
}

function drawTogether() {
  const alike = openAlike(current);
  const chosen = alike.filter((key) => !leftOut.has(key));
  const rows = chosen.reduce((sum, key) => sum + texts.get(key).rows, 0);
  byId("together-words").textContent = fill(say.together, { count: number(chosen.length) });
  byId("together-rows").textContent = fill(say.together_rows, { rows: number(rows) });
  byId("together").disabled = chosen.length === 0;
  byId("siblings").classList.toggle("on", isTogether());
  byId("several").textContent = isTogether() ? fill(say.for_all, { count: number(chosen.length + 1) }) : "";
}

function toggleTogether() {
  const box = byId("together");
  if (!box || saving || current === null || view !== "one") return;
  if (byId("siblings").hidden || box.disabled) return tell(say.none_alike);
  box.checked = !box.checked;
  announceTogether();
}

function announceTogether() {
  drawTogether();
  const chosen = openAlike(current).filter((key) => !leftOut.has(key)).length;
  tell(isTogether() ? fill(say.together_on, { count: number(chosen) }) : say.together_off);
}

// ---- progress, views, list --------------------------------------------------------------------------------------

function drawProgress() {
  const all = [...texts.values()];
  const done = all.filter((text) => stateOf(text.key) !== "open");
  const rows = (some) => some.reduce((sum, text) => sum + text.rows, 0);
  const values = { done: done.length, all: all.length, rows_done: rows(done), rows_all: rows(all) };
  byId("bar").max = Math.max(values.all, 1);
  byId("bar").value = values.all ? values.done : 1;
  const words = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value)]));
  byId("bar-words").textContent = `${fill(say.progress_short, words)} · ${fill(say.progress_rows, words)}`;
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

function found() {
  const wanted = byId("search").value.normalize("NFC").toLowerCase().trim();
  const matches = (text) => {
    const words = [shownText(text.text), facts.reasons[text.reason] ?? "", allSaid(text.key)].join("\n");
    return words.normalize("NFC").toLowerCase().includes(wanted);
  };
  return wanted ? [...texts.values()].filter(matches) : [...texts.values()];
}

function drawList() {
  const all = found();
  for (const button of document.querySelectorAll("[data-filter]")) {
    const those = all.filter((text) => passes(text.key, button.dataset.filter));
    button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
    button.querySelector(".count").textContent = number(those.length);
  }
  const those = all.filter((text) => passes(text.key, filter));
  const shown = those.slice(0, linesShown);
  const focused = document.activeElement?.dataset?.open;
  byId("lines").replaceChildren(...shown.map((text) => line(text)));
  if (focused) byId("lines").querySelector(`[data-open="${focused}"]`)?.focus();
  byId("found").textContent = those.length ? fill(say.found, { count: number(those.length) }) : say.none_found;
  byId("more").hidden = shown.length === those.length;
  byId("more").textContent = fill(say.more, { count: number(Math.min(LINES_A_PAGE, those.length - shown.length)) });
}

const passes = (key, name) => name === "all" || stateOf(key) === name;

function line(text) {
  const row = element("tr");
  const open = element("button", text.text ? "" : "void");
  open.type = "button";
  open.dataset.open = text.key;
  open.append(element("bdi", "", shownText(text.text)));
  open.onclick = () => show(text.key);
  const first = element("th");
  first.scope = "row";
  first.append(open);
  row.append(first, element("td", "number", number(text.rows)));
  if (!facts.blind) {
    row.append(element("td", "soft", facts.reasons[text.reason] ?? ""));
    row.append(element("td", "", text.suggestion ? say.verdicts[text.suggestion] : say.verdicts.OPEN));
  }
  row.append(element("td", stateOf(text.key), allSaid(text.key) || say.verdicts.OPEN));
  return row;
}

// ---- dialogs ----------------------------------------------------------------------------------------------------

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
  tabs.postMessage("name");
  if (view === "one" && current !== null) byId("text").focus();
}

// ---- keys: by their place on the keyboard, so that an input method for Korean is no obstacle ------------------------

const KEYS = {
  KeyM: () => answer("MORNING"),
  KeyA: () => answer("AFTERNOON"),
  KeyN: () => answer("NEITHER"),
  KeyS: skip,
  KeyU: undo,
  KeyG: toggleTogether,
  KeyL: () => (view === "list" ? toOne() : toList()),
};

function onKey(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.code === "Escape") return leave(event);
  if (event.target.matches("input:not([type=checkbox])") || !usesKeys()) return;
  const slash = event.code === "Slash" || event.key === "/";
  const help = event.key === "?" || (slash && event.shiftKey);
  const act = help ? openHelp : slash ? toSearch : KEYS[event.code];
  if (!act) return;
  event.preventDefault();
  if (!event.repeat) act();
}

function leave(event) {
  event.preventDefault();
  if (event.target === byId("note")) byId("text").focus();
  else if (event.target === byId("search") && byId("search").value) searchFor("");
  else if (view === "list") toOne();
}

function searchFor(words) {
  byId("search").value = words;
  linesShown = LINES_A_PAGE;
  drawList();
}

function openHelp() {
  byId("help").showModal();
}

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
  tabs.onmessage = poll;
  document.addEventListener("visibilitychange", () => document.hidden || poll());
  window.addEventListener("beforeunload", (event) => saving && event.preventDefault());
}

function openFirst(event) {
  if (event.isComposing || event.key !== "Enter") return;
  byId("lines").querySelector("button")?.click();
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
