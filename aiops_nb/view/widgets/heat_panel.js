// All targets over time: a canvas of cells, a row for each target. External text is drawn as text.

const WORDS = ["no data", "ok", "near its limit", "failing", "anomalous"];
const COLOURS = ["transparent", "#009e7355", "#e69f00", "#e4572e", "#c2310c"];
const ROW = 13;
const NAMES = 210;

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

function legend() {
  const box = make("span", "aiops-heat-legend");
  WORDS.forEach((word, level) => {
    const swatch = make("span", "aiops-heat-swatch");
    swatch.style.background = COLOURS[level];
    const item = make("span", "", word);
    item.prepend(swatch);
    box.append(item);
  });
  return box;
}

function render({ model, el }) {
  el.classList.add("aiops-heat");
  const details = el.appendChild(make("details"));
  details.open = true;
  const summary = details.appendChild(make("summary"));
  const title = summary.appendChild(make("b"));
  details.appendChild(legend());
  const scroll = details.appendChild(make("div", "aiops-heat-scroll"));
  const canvas = scroll.appendChild(make("canvas"));
  const said = details.appendChild(make("div", "aiops-heat-said", "\u00a0"));
  canvas.setAttribute("role", "img");
  canvas.tabIndex = 0;
  let chosen = -1;

  const cellAt = (event) => {
    const columns = model.get("times").length;
    const box = canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top) / ROW);
    const column = Math.floor(((event.clientX - box.left - NAMES) / (box.width - NAMES)) * columns);
    return { row, column: Math.min(Math.max(column, 0), columns - 1) };
  };
  const levelAt = (row, column) => new Uint8Array(model.get("levels").buffer, model.get("levels").byteOffset)[row * model.get("times").length + column];
  const say = (row, column) => {
    const name = model.get("names")[row];
    said.textContent = name === undefined ? "\u00a0" : `${name}: ${WORDS[levelAt(row, column)] ?? ""} at ${model.get("times")[column]} UTC`;
  };
  const open = (row, column) => model.get("names")[row] !== undefined && model.send({ kind: "open", row, column });

  const draw = () => {
    const [names, times] = [model.get("names"), model.get("times")];
    el.hidden = details.hidden = !names.length;
    if (!names.length) return;
    title.textContent = model.get("title");
    canvas.setAttribute("aria-label", `${model.get("title")}: ${names.slice(0, 5).join(", ")}`);
    const width = Math.max(scroll.clientWidth - 2, 300);
    const height = names.length * ROW;
    const scale = names.length > 400 ? 1 : (window.devicePixelRatio ?? 1); // a canvas has a largest height
    Object.assign(canvas, { width: width * scale, height: height * scale });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const ink = getComputedStyle(el).color;
    const cell = (width - NAMES) / times.length;
    names.forEach((name, row) => {
      pen.fillStyle = ink;
      pen.fillText(name, 2, row * ROW + ROW / 2, NAMES - 10);
      for (let column = 0; column < times.length; column += 1) {
        pen.fillStyle = COLOURS[levelAt(row, column)] ?? "transparent";
        pen.fillRect(NAMES + column * cell, row * ROW + 1, Math.ceil(cell), ROW - 2);
      }
      if (row === chosen) {
        pen.strokeStyle = ink;
        pen.strokeRect(0.5, row * ROW + 0.5, width - 1, ROW - 1);
      }
    });
  };

  canvas.addEventListener("mousemove", (event) => {
    const { row, column } = cellAt(event);
    say(row, column);
  });
  canvas.addEventListener("click", (event) => {
    const { row, column } = cellAt(event);
    chosen = row;
    draw();
    open(row, column);
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (step) chosen = Math.min(Math.max(chosen + step, 0), model.get("names").length - 1);
    else open(chosen, model.get("times").length - 1);
    draw();
    say(chosen, model.get("times").length - 1);
  });
  const resized = new ResizeObserver(draw);
  resized.observe(scroll);
  const themes = new MutationObserver(draw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  model.on("change", draw);
  draw();
  return () => {
    resized.disconnect();
    themes.disconnect();
    model.off("change", draw);
  };
}

export default { render };
