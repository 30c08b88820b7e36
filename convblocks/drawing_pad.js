// A pad of 8 x 8 pixels. Python runs the network on what is drawn, and says what it sees (drawing_pad.py).

const SIDE = 8;
const SHAPES = ["triangle", "square", "circle"];
// Half the pen's width and half a pixel, as the drawings of the training set are inked (shapes.py).
const REACH = 1;

let pads = 0;

function render({ model, el }) {
  const { ask: tell, status, leave } = talk(model, show);
  const pad = `convblocks-pad-${++pads}`;
  let drawing = (model.get("told").drawing || model.get("asked").drawing).slice();
  let at = 0;
  let last = null;
  let erasing = false;
  let number = null;
  let busy = false;
  const waiting = [];

  const make = (tag, attributes = {}, ...inside) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...inside);
    return made;
  };
  const button = (text, act) => {
    const made = make("button", { type: "button" }, text);
    made.addEventListener("click", act);
    return made;
  };

  const cells = drawing.map((_, place) => make("div", { role: "gridcell", id: `${pad}-${place}` }));
  const rows = [...Array(SIDE).keys()].map((row) =>
    make("div", { role: "row" }, ...cells.slice(row * SIDE, (row + 1) * SIDE)));
  const paper = make("div", {
    class: "pad", role: "grid", tabindex: 0,
    "aria-label": "Drawing pad, 8 by 8. Arrow keys move, space or enter inks or wipes a pixel.",
  }, ...rows);
  const erase = button("erase", () => {
    erasing = !erasing;
    erase.setAttribute("aria-pressed", erasing);
  });
  erase.setAttribute("aria-pressed", false);
  const tools = make("div", {}, erase,
    button("clear", () => { drawing.fill(0); ask(); }),
    button(model.get("told").wrong, () => ask({ wish: "wrong" })));
  const keep = make("div", { role: "group", "aria-label": "Keep the drawing as" }, "keep as ",
    ...SHAPES.map((shape, label) => button(shape, () => ask({ wish: "keep", label }))));
  const said = make("p", { "aria-live": "polite" });
  const news = make("p", { "aria-live": "polite" });
  const picture = make("img");
  const card = make("div", { class: "convblocks" }, make("div", { class: "beside" },
    make("div", { class: "hand" }, paper, make("div", { class: "words" }, tools, keep, status, news, said)), picture));
  // JupyterLab would take arrow keys for going to another cell, and letters for cutting or adding one.
  card.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) event.stopPropagation();
  });
  el.append(card);

  // One at a time, so that a slow network leaves out strokes, but never a drawing that is to be kept.
  function ask(wish = {}) {
    ink();
    if (waiting.length && !waiting.at(-1).wish) waiting.pop();
    waiting.push({ drawing: drawing.slice(), ...wish });
    send();
  }

  function send() {
    // Where no answer came for long, none may ever come.
    if ((busy && !status.textContent) || !waiting.length) return;
    busy = true;
    number = tell(waiting.shift());
  }

  function ink() {
    cells.forEach((cell, place) => {
      const grey = Math.round(255 * (1 - drawing[place]));
      cell.style.background = `rgb(${grey}, ${grey}, ${grey})`;
      cell.classList.toggle("at", place === at);
      const where = `row ${Math.floor(place / SIDE)}, column ${place % SIDE}`;
      cell.setAttribute("aria-label", `${where}, ${drawing[place] ? `ink ${drawing[place].toFixed(1)}` : "paper"}`);
    });
    paper.setAttribute("aria-activedescendant", cells[at].id);
  }

  // The pen from the last point to this one, both in pixels: as dark as the line covers each pixel.
  function stroke(point) {
    const from = last || point;
    const [across, down] = [point[0] - from[0], point[1] - from[1]];
    const length = across ** 2 + down ** 2;
    drawing.forEach((before, place) => {
      const [x, y] = [(place % SIDE) + 0.5 - from[0], Math.floor(place / SIDE) + 0.5 - from[1]];
      const share = length ? Math.min(Math.max((x * across + y * down) / length, 0), 1) : 0;
      const covered = Math.min(Math.max(REACH - Math.hypot(x - share * across, y - share * down), 0), 1);
      drawing[place] = erasing ? Math.min(before, 1 - covered) : Math.max(before, covered);
    });
    last = point;
  }

  function point(event) {
    const box = paper.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  paper.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    paper.setPointerCapture(event.pointerId);
    last = null;
    stroke(point(event));
    ask();
  });
  paper.addEventListener("pointermove", (event) => {
    if (!last) return;
    stroke(point(event));
    ask();
  });
  for (const end of ["pointerup", "pointercancel"]) paper.addEventListener(end, () => { last = null; });
  paper.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const [row, column] = [Math.floor(at / SIDE), at % SIDE];
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key in moves) {
      const [down, right] = moves[event.key];
      const inside = (value) => Math.min(Math.max(value, 0), SIDE - 1);
      at = inside(row + down) * SIDE + inside(column + right);
      ink();
    } else if (event.key === " " || event.key === "Enter") {
      drawing[at] = drawing[at] >= 0.5 ? 0 : 1;
      ask();
    } else {
      return;
    }
    event.preventDefault();
  });

  function show() {
    const told = model.get("told");
    if (told.drawing) {
      drawing = told.drawing.slice();
      ink();
    }
    picture.src = told.src;
    picture.alt = told.alt;
    said.textContent = told.said;
    news.textContent = told.news;
    busy = busy && told.number < number;
    send();
  }

  show();
  ink();
  return leave;
}

export default { render };
