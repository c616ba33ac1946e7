// Tiles, warnings and the alert table. Text from outside is set as text, never as markup. A row's evidence came with
// the row, so that selecting it works while the kernel is busy.

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

function tile({ label, value, unit, note, tone }) {
  const box = make("div", `aiops-tile aiops-${tone}`);
  const figure = box.appendChild(make("div", "aiops-value", value));
  if (unit) figure.appendChild(make("span", "aiops-unit", ` ${unit}`));
  box.prepend(make("div", "aiops-label", label));
  box.appendChild(make("div", "aiops-hint", note || "\u00a0")).title = note;
  return box;
}

// The box around this is given a class when its kernel is gone; the last state would go on saying "live".
const GONE = ".jupyter-widgets-disconnected";
const STATES = {
  running: ["live", "receiving", "ok"],
  stopped: ["stopped", "press Start to go on", "off"],
  ended: ["ended", "it runs only once", "off"],
  closed: ["closed", "run the cell again", "off"],
  gone: ["gone", "run the cells again", "bad"],
};

function stateTile(state) {
  const [value, note, tone] = STATES[state] ?? STATES.closed;
  const box = tile({ label: "monitor", value, unit: "", note, tone });
  box.classList.add("aiops-state");
  box.querySelector(".aiops-value").prepend(make("span", "aiops-dot"));
  return box;
}

function drawStatus(model, el) {
  const row = make("div", "aiops-tiles");
  row.append(stateTile(el.closest(GONE) ? "gone" : model.get("state")), ...model.get("tiles").map(tile));
  const warnings = model.get("warnings").map((text) => make("div", "aiops-warning", text));
  el.replaceChildren(row, ...warnings);
}

function evidence(alert, columns) {
  const row = make("tr", "aiops-evidence");
  const cell = row.appendChild(make("td"));
  cell.colSpan = columns;
  cell.appendChild(make("div", "", `${alert.full_target}: ${alert.summary}`));
  cell.appendChild(make("div", "aiops-facts", alert.facts));
  if (!alert.evidence.length) return row;
  const table = cell.appendChild(make("table"));
  const head = table.appendChild(make("tr"));
  head.append(...["request ended (UTC)", "took", "outcome"].map((name) => make("th", "", name)));
  for (const line of alert.evidence) table.appendChild(make("tr")).append(...line.map((text) => make("td", "", text)));
  return row;
}

const COLUMNS = [["", "state"], ["severity", "severity"], ["since (UTC)", "since"], ["alert", "name"], ["target", "target"], ["what happened", "summary"]];

function alertRow(alert, view) {
  const row = make("tr", `aiops-alert aiops-${alert.state}`);
  row.tabIndex = 0;
  row.setAttribute("aria-expanded", String(view.selected === alert.id));
  for (const [, key] of COLUMNS) {
    const cell = row.appendChild(make("td", `aiops-${key}`));
    const pill = key === "severity" ? `aiops-pill aiops-is-${alert.severity}` : "";
    // where the panel is too narrow for a column of names, the name stands before what happened
    if (key === "summary") cell.appendChild(make("span", "aiops-short-of-room", `${alert.name}: `));
    cell.appendChild(make("span", pill, alert[key])).title = key === "target" ? alert.full_target : alert[key];
  }
  const choose = () => view.choose(alert.id);
  row.addEventListener("click", choose);
  row.addEventListener("keydown", (event) => event.key === "Enter" && choose());
  return row;
}

function drawAlerts(model, el, view) {
  const alerts = model.get("alerts");
  const title = make("div", "aiops-title", "Alerts");
  if (!alerts.length) return el.replaceChildren(title, make("div", "aiops-quiet", "None so far."));
  const table = make("table", "aiops-alerts");
  const head = table.appendChild(make("thead")).appendChild(make("tr"));
  head.append(...COLUMNS.map(([name, key]) => make("th", `aiops-${key}`, name)));
  const body = table.appendChild(make("tbody"));
  for (const alert of alerts) {
    body.appendChild(alertRow(alert, view));
    if (view.selected === alert.id) body.appendChild(evidence(alert, COLUMNS.length));
  }
  const top = el.querySelector(".aiops-scroll")?.scrollTop ?? 0;
  const scroll = make("div", "aiops-scroll");
  scroll.appendChild(table);
  el.replaceChildren(title, scroll);
  scroll.scrollTop = top;
}

function render({ model, el }) {
  const kind = model.get("kind");
  el.classList.add("aiops-panel", `aiops-panel-${kind}`);
  const view = {
    selected: undefined,
    choose(id) {
      this.selected = this.selected === id ? undefined : id;
      draw();
    },
  };
  const draw = () => (kind === "status" ? drawStatus(model, el) : drawAlerts(model, el, view));
  let gone = false;
  const connection = setInterval(() => gone === (gone = Boolean(el.closest(GONE))) || draw(), 1000);
  model.on("change", draw);
  draw();
  return () => {
    clearInterval(connection);
    model.off("change", draw);
  };
}

export default { render };
