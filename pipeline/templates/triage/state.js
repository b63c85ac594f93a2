"use strict";
// What the page knows. All files of this folder are one script (see pipeline.review.page). Texts come as JSON and reach
// the screen through textContent alone. Nothing is shown as saved before the server has said that it is in the store;
// what is not yet saved survives a reload of this window.

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

// What this window keeps over a reload.

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
