// The health of the monitor itself. External text is set as text, never as markup.

const COLUMNS = [["source", "source"], ["rows", "rows"], ["total", "total"], ["lag", "lag"], ["rejected", "lost"]];
const REJECTED = [["source", "source"], ["reason", "reason"], ["detail", "detail"], ["line", "line"]];

const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};

function fill(table, columns, rows) {
  const head = make("tr");
  head.append(...columns.map(([name]) => make("th", name)));
  const lines = rows.map((row) => {
    const line = make("tr");
    line.append(...columns.map(([, key]) => make("td", row[key])));
    return line;
  });
  table.replaceChildren(head, ...lines);
}

function render({ model, el }) {
  const details = el.appendChild(make("details"));
  const summary = details.appendChild(make("summary"));
  const table = details.appendChild(make("table"));
  const title = details.appendChild(make("div", "Last rejected lines", "aiops-rejected"));
  const rejected = details.appendChild(make("table", undefined, "aiops-lines"));
  el.classList.add("aiops-self");
  const draw = () => {
    details.hidden = !model.get("sentence"); // the box itself gets its style from its layout, later than this
    summary.replaceChildren(make("b", "Monitor health:"), make("span", ` ${model.get("sentence")}`));
    fill(table, COLUMNS, model.get("rows"));
    title.hidden = rejected.hidden = !model.get("rejected").length;
    fill(rejected, REJECTED, model.get("rejected"));
  };
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
