// How the monitor itself is doing. Text from outside is set as text, never as markup.

const COLUMNS = [["source", "source"], ["rows", "rows"], ["in all", "total"], ["newest row behind now", "lag"], ["not used", "lost"]];

const make = (tag, text) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  return node;
};

function render({ model, el }) {
  const details = el.appendChild(make("details"));
  const summary = details.appendChild(make("summary"));
  const table = details.appendChild(make("table"));
  el.classList.add("aiops-self");
  const draw = () => {
    details.hidden = !model.get("sentence"); // the box itself gets its style from its layout, later than this
    summary.replaceChildren(make("b", "This monitor"), make("span", ` ${model.get("sentence")}`));
    const head = make("tr");
    head.append(...COLUMNS.map(([name]) => make("th", name)));
    const lines = model.get("rows").map((row) => {
      const line = make("tr");
      line.append(...COLUMNS.map(([, key]) => make("td", row[key])));
      return line;
    });
    table.replaceChildren(head, ...lines);
  };
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
