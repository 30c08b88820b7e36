"""The gallery shows what its code draws, pixel by pixel."""

import importlib.util

import pytest
from browser import browser
from conftest import ROOT

spec = importlib.util.spec_from_file_location("gallery", ROOT / "docs" / "gallery.py")
gallery = importlib.util.module_from_spec(spec)
spec.loader.exec_module(gallery)

DIFFERING = """async (pictures) => {
    const pixels = await Promise.all(pictures.map(async (svg) => {
        const image = new Image();
        image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
        await image.decode();
        const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
        canvas.drawImage(image, 0, 0);
        return [image.width, image.height, ...canvas.getImageData(0, 0, image.width, image.height).data];
    }));
    const [kept, drawn] = pixels;
    return kept.length === drawn.length ? kept.filter((one, place) => one !== drawn[place]).length : -1;
}"""
"""How many numbers of two pictures differ, drawn by the same browser with the same fonts."""


@pytest.fixture(scope="module")
def differing(chromium):
    page = chromium.new_page()
    return lambda kept, drawn: page.evaluate(DIFFERING, [kept, drawn])


@pytest.fixture(scope="module")
def drawn():
    return gallery.figures()


@browser
@pytest.mark.parametrize("name", gallery.FIGURES)
def test_a_picture_is_the_one_that_was_kept(differing, drawn, name):
    kept = (ROOT / "docs" / "gallery" / f"{name}.svg").read_text(encoding="utf-8")
    assert differing(kept, drawn[name].svg) == 0
    # A comparison that sees nothing would see nothing here either.
    assert differing(kept.replace("#111", "#e11", 1).replace("#000", "#e00", 1), drawn[name].svg) != 0


def test_the_page_is_what_its_code_writes(drawn):
    assert gallery.page(drawn) == (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert {path.stem for path in (ROOT / "docs" / "gallery").glob("*.svg")} == set(gallery.FIGURES)
