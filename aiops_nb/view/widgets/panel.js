// Tiles, warnings and the alert table. External text is set as text, never as markup. The evidence of a row is sent
// with the row, so that selecting it works while the kernel is busy.

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

// The box around a panel gets this class when its kernel is gone; the panel itself keeps its last state.
const GONE = ".jupyter-widgets-disconnected";

// ---- tiles

// The word that goes with the colour of a tile.
const TONES = { ok: "\u2713 ok", warn: "\u25b3 warning", bad: "\u25b2 alert" };

// The last minutes of a figure as a line; gaps where it was not known.
function trendLine(values) {
  const known = values.filter((value) => value !== null);
  if (known.length < 3) return make("div", "aiops-trend");
  const [wide, high] = [120, 20];
  const largest = Math.max(...known, 1e-9);
  const place = (value, at) => `${((at * wide) / (values.length - 1)).toFixed(1)} ${(high - 1 - (value / largest) * (high - 2)).toFixed(1)}`;
  const path = values.map((value, at) => (value === null ? "" : `${at && values[at - 1] !== null ? "L" : "M"}${place(value, at)}`)).join("");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("aiops-trend");
  const line = svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
  line.setAttribute("d", path);
  return svg;
}

function tile({ label, value, unit, note, tone, trend }) {
  const box = make("div", `aiops-tile aiops-${tone}`);
  const head = box.appendChild(make("div", "aiops-label"));
  head.append(make("span", "", label), make("span", "aiops-tone", TONES[tone] ?? ""));
  const figure = box.appendChild(make("div", "aiops-value", value));
  if (unit) figure.appendChild(make("span", "aiops-unit", ` ${unit}`));
  box.appendChild(make("div", "aiops-hint", note || "\u00a0")).title = note;
  if (trend?.length) box.appendChild(trendLine(trend));
  return box;
}

const STATES = {
  live: ["Live", "receiving data", "live"],
  replaying: ["Replay", "recorded data, not live", "replay"],
  following: ["Live", "following another monitor", "live"],
  silent: ["No response", "the monitor that records does not respond", "off"],
  waiting: ["Waiting", "the monitor that records has stopped", "off"],
  paused: ["Replay paused", "press Resume or Step", "off"],
  stopped: ["Stopped", "press Start to resume", "off"],
  ended: ["Replay finished", "recorded data, not live", "off"],
  closed: ["Closed", "run the cell again", "off"],
  gone: ["Disconnected", "kernel restarted - run the cells again", "off"],
};
const LAST_FIGURES = {
  stopped: "monitoring has stopped",
  silent: "the monitor that records does not respond",
  waiting: "the monitor that records has stopped; new rows appear when it records again",
  ended: "the end of the recorded data",
  closed: "this dashboard was closed",
  gone: "the kernel was restarted; monitoring has stopped",
};

// Outside of Jupyter the box says itself what is gone.
const goneNote = (el) => el.closest(GONE)?.dataset.gone;

function stateTile(state, gone) {
  const [value, known, kind] = STATES[state] ?? STATES.closed;
  const note = gone || known;
  const box = tile({ label: "monitor", value, unit: "", note, tone: "plain" });
  box.classList.add("aiops-state", `aiops-is-${kind}`);
  box.querySelector(".aiops-value").prepend(make("span", "aiops-dot"));
  return box;
}

// ipywidgets gives the handle of a slider no name for people who hear the page.
function nameSliders(el) {
  for (const handle of el.closest(".aiops-dashboard")?.querySelectorAll(".noUi-handle:not([aria-label])") ?? []) {
    const name = handle.closest(".jupyter-widgets")?.querySelector(".widget-label")?.textContent;
    if (name) handle.setAttribute("aria-label", name);
  }
}

function drawStatus(model, el) {
  nameSliders(el);
  const state = el.closest(GONE) ? "gone" : model.get("state");
  const row = make("div", "aiops-tiles");
  row.classList.toggle("aiops-old", state in LAST_FIGURES);
  row.append(stateTile(state, goneNote(el)), ...model.get("tiles").map(tile));
  const parts = [row];
  if (state in LAST_FIGURES && model.get("newest"))
    parts.push(make("div", "aiops-quiet aiops-as-of", `Figures as of ${model.get("newest")}: ${goneNote(el) || LAST_FIGURES[state]}.`));
  parts.push(...model.get("warnings").map((text) => make("div", "aiops-warning", `\u26a0 ${text}`)));
  el.replaceChildren(...parts);
}

// ---- alerts

const EVIDENCE = ["finished (UTC)", "duration", "status"];
const COLUMNS = ["state", "severity", "since", "name", "target", "summary"];
const HEADINGS = { since: "since (UTC)", name: "alert" };

// Each button sends an action; the row changes when the answer has come back from the stream.
function answerButtons(alert, view) {
  if (!alert.actions.length) return [];
  const box = make("div", "aiops-actions");
  for (const [action, label] of alert.actions) {
    const button = box.appendChild(make("button", "aiops-more", label));
    button.dataset.key = `${action} ${alert.id}`;
    button.addEventListener("click", () => {
      button.disabled = true;
      view.answer(alert.id, action);
    });
  }
  return [box];
}

const MOVED = ["target", "name", "moved", "since"];
const MOVED_HEADINGS = { name: "what", since: "since (UTC)" };

// Marks first, then the series that left their baseline most; found in the kernel when the alert is selected.
function alsoMoved(alert, view) {
  const moved = view.moved();
  if (moved.id !== alert.id) return [];
  const parts = [make("div", "aiops-facts aiops-moved", `What else moved: ${moved.verdict}`)];
  if (!moved.rows?.length) return parts;
  const table = make("table");
  table.appendChild(make("tr")).append(...MOVED.map((key) => make("th", "", MOVED_HEADINGS[key] ?? key)));
  for (const line of moved.rows) table.appendChild(make("tr")).append(...MOVED.map((key) => make("td", "", line[key])));
  return [...parts, table];
}

function evidence(alert, view) {
  const row = make("tr", "aiops-evidence");
  const cell = row.appendChild(make("td"));
  cell.colSpan = COLUMNS.length;
  cell.appendChild(make("div", "", `${alert.full_target}: ${alert.summary}`));
  if (alert.answer) cell.appendChild(make("div", "aiops-answer", alert.answer));
  cell.append(...answerButtons(alert, view));
  cell.append(...alert.facts.map((fact) => make("div", "aiops-facts", fact)));
  cell.append(...alsoMoved(alert, view));
  if (!alert.evidence.length) return row;
  const table = cell.appendChild(make("table"));
  table.appendChild(make("tr")).append(...EVIDENCE.map((name) => make("th", "", name)));
  for (const line of alert.evidence) table.appendChild(make("tr")).append(...line.map((text) => make("td", "", text)));
  return row;
}

function alertRow(alert, view) {
  const row = make("tr", `aiops-alert aiops-${alert.state}`);
  row.tabIndex = 0;
  row.dataset.key = `row ${alert.id}`;
  row.setAttribute("aria-expanded", String(view.selected === alert.id));
  for (const key of COLUMNS) {
    const cell = row.appendChild(make("td", `aiops-${key}`));
    const pill = key === "severity" ? `aiops-pill aiops-is-${alert.severity}` : "";
    // where the panel is too narrow for a column of names, the name is written before the summary
    if (key === "summary") cell.appendChild(make("span", "aiops-short-of-room", `${alert.name}: `));
    const text = key === "state" ? alert.state_label : alert[key];
    cell.appendChild(make("span", pill, text)).title = key === "target" ? alert.full_target : text;
    if (key === "since" && alert.age) cell.appendChild(make("span", "aiops-age", ` ${alert.age}`));
  }
  const choose = () => view.choose(alert.id);
  row.addEventListener("click", choose);
  row.addEventListener("keydown", (event) => event.key === "Enter" && choose());
  return row;
}

const SEVERITIES = ["critical", "error", "warning", "info"];

// How many of those that fire are how severe.
function severitiesOf(alerts) {
  const firing = alerts.filter((alert) => alert.state === "firing");
  const counts = SEVERITIES.map((one) => [firing.filter((alert) => alert.severity === one).length, one]);
  const known = counts.filter(([count]) => count).map(([count, one]) => `${count} ${one}`);
  return known.length ? ` (${known.join(", ")})` : "";
}

// A row for each severity that occurs, named at its beginning; a bar selects its alert.
function strip(model, view) {
  const { bars, begins, ends } = model.get("strip");
  if (!bars?.length) return undefined;
  const box = make("div", "aiops-strip");
  box.setAttribute("aria-label", "alerts over time");
  for (const severity of SEVERITIES) {
    const own = bars.filter((bar) => bar.severity === severity);
    if (!own.length) continue;
    const row = box.appendChild(make("div", "aiops-strip-row"));
    row.appendChild(make("span", "aiops-strip-name", severity));
    const track = row.appendChild(make("div", "aiops-track"));
    for (const bar of own) {
      const mark = track.appendChild(make("div", `aiops-bar aiops-is-${severity} aiops-${bar.state}`));
      Object.assign(mark.style, { left: `${bar.left / 6}%`, width: `${bar.width / 6}%` });
      mark.title = `${bar.label} (${bar.state})`;
      mark.classList.toggle("aiops-chosen", view.selected === bar.id);
      mark.addEventListener("click", () => view.choose(bar.id));
    }
  }
  const axis = box.appendChild(make("div", "aiops-strip-row aiops-quiet"));
  axis.append(make("span", "aiops-strip-name"), make("span", "", begins), make("span", "aiops-end", ends));
  return box;
}

function titleOf(alerts) {
  const counts = ["firing", "pending", "inhibited", "resolved"].map((state) => [
    alerts.filter((alert) => alert.state === state).length,
    state === "inhibited" ? "part of another alert" : state,
  ]);
  const parts = counts.filter(([count]) => count).map(([count, word]) =>
    word === "firing" ? `${count} firing${severitiesOf(alerts)}` : `${count} ${word}`,
  );
  return parts.length ? `Alerts: ${parts.join(", ")}` : "Alerts: none so far";
}

// What has the focus in a panel: it keeps it when the panel is drawn again.
function focusedKey(el) {
  const one = el.getRootNode().activeElement;
  return one && el.contains(one) ? one.dataset.key : undefined;
}

function drawAlerts(model, el, view) {
  const alerts = model.get("alerts");
  const active = alerts.filter((alert) => alert.state !== "resolved" || alert.id === view.selected);
  const rest = alerts.length - active.length;
  const head = make("div", "aiops-title");
  head.appendChild(make("span", "", titleOf(alerts)));
  if (rest || view.all) {
    const button = head.appendChild(make("button", "aiops-more", view.all ? "hide resolved" : `show ${rest} resolved`));
    button.addEventListener("click", () => view.showAll(!view.all));
  }
  const shown = view.all ? alerts : active;
  const top = el.querySelector(".aiops-scroll")?.scrollTop ?? 0;
  const bars = strip(model, view);
  const above = bars ? [bars, head] : [head];
  if (!shown.length) return el.replaceChildren(...above);
  const focused = focusedKey(el);
  const table = make("table", "aiops-alerts");
  table.setAttribute("role", "treegrid"); // its rows open
  const headings = table.appendChild(make("thead")).appendChild(make("tr"));
  headings.append(...COLUMNS.map((key) => make("th", `aiops-${key}`, HEADINGS[key] ?? key)));
  const body = table.appendChild(make("tbody"));
  for (const alert of shown) {
    body.appendChild(alertRow(alert, view));
    if (view.selected === alert.id) body.appendChild(evidence(alert, view));
  }
  const scroll = make("div", view.selected ? "aiops-scroll aiops-open" : "aiops-scroll");
  scroll.appendChild(table);
  el.replaceChildren(...above, scroll);
  scroll.scrollTop = top;
  if (focused) el.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  if (view.reveal) reveal(scroll);
  view.reveal = false;
}

// The evidence of the last row would open below the edge of the scroll area.
function reveal(scroll) {
  const detail = scroll.querySelector(".aiops-evidence");
  if (!detail) return;
  const row = detail.previousElementSibling;
  const hidden = detail.offsetTop + detail.offsetHeight - scroll.clientHeight;
  const head = scroll.querySelector("thead").offsetHeight;
  if (hidden > scroll.scrollTop) scroll.scrollTop = Math.min(hidden, row.offsetTop - head);
}

// ---- the title of the page says what fires: a tab in the background is noticed

const PREFIX = /^\(\d+ alerts? firing\) /;
const firing = (window.__aiops_nb_firing ??= new Map());

function updateTitle() {
  const count = [...firing.values()].reduce((sum, one) => sum + one, 0);
  const bare = document.title.replace(PREFIX, "");
  const wanted = count ? `(${count} alert${count > 1 ? "s" : ""} firing) ${bare}` : bare;
  if (document.title !== wanted) document.title = wanted;
}

function render({ model, el }) {
  const kind = model.get("kind");
  el.classList.add("aiops-panel", `aiops-panel-${kind}`);
  const view = {
    selected: undefined,
    all: false,
    reveal: false,
    choose(id) {
      this.selected = this.selected === id ? undefined : id;
      this.reveal = true;
      draw();
      model.send({ kind: "select", id: this.selected ?? null });
    },
    moved: () => model.get("moved") ?? {},
    answer(id, action) {
      model.send({ kind: "answer", id, action });
    },
    showAll(all) {
      this.all = all;
      draw();
    },
  };
  const notice = () => {
    const alerts = el.closest(GONE) ? [] : model.get("alerts");
    firing.set(view, alerts.filter((alert) => alert.unanswered).length); // not silenced, acknowledged or inhibited
    updateTitle();
  };
  const draw = () => {
    if (kind === "status") return drawStatus(model, el);
    drawAlerts(model, el, view);
    notice();
  };
  let gone = false;
  const connection = setInterval(() => {
    if (gone !== (gone = Boolean(el.closest(GONE)))) draw();
    else if (kind === "alerts") notice(); // JupyterLab sets the title again with every tab
  }, 1000);
  const drawMoved = () => {
    view.reveal = true; // the open row has grown
    draw();
  };
  if (kind === "alerts") model.on("change:moved", drawMoved);
  model.on("change", draw);
  draw();
  return () => {
    clearInterval(connection);
    model.off("change:moved", drawMoved);
    model.off("change", draw);
    firing.delete(view);
    updateTitle();
  };
}

export default { render };
