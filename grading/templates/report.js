"use strict";
// Sorts the tables of the report by the column whose heading is pressed, by mouse or keyboard: up, and again down.
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const compare = (one, other) => {
    const numbers = [Number(one), Number(other)];
    if (numbers.every((number) => !Number.isNaN(number))) return numbers[0] - numbers[1];
    return one.localeCompare(other, undefined, { numeric: true });
  };
  heads.forEach((head, column) => {
    // The button is made here, as without this script it would do nothing.
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const keyed = [...body.rows].map((row) => [key(row, column), row]);
      // What has no value stands last, whichever way round.
      const [empty, filled] = [keyed.filter(([value]) => value === ""), keyed.filter(([value]) => value !== "")];
      filled.sort((one, other) => (down ? -1 : 1) * compare(one[0], other[0]));
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...[...filled, ...empty].map(([, row]) => row));
    });
  });
}
