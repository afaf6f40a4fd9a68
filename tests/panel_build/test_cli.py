from __future__ import annotations

import typer
from typer.testing import CliRunner

from remitstats.cli.data_build import build
from remitstats.panel import build as building
from remitstats.panel.load import load_panel
from remitstats.sources.files import FILES

app = typer.Typer()
app.command()(build)


def run(raw, out):
    return CliRunner().invoke(app, ["--raw", str(raw), "--out", str(out)])


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_second_build_gives_the_same_panel_and_prints_its_account(raw, mexico, tmp_path):
    result = run(raw, tmp_path / "new" / "panel.parquet")
    assert result.exit_code == 0, result.output
    assert load_panel(tmp_path / "new" / "panel.parquet").hash == mexico.hash
    assert leftovers(tmp_path / "new") == ["panel.parquet"]
    for words in ("Account of the build", "missing", "neighbour pairs", "519,686", mexico.hash):
        assert words in result.output


def test_a_folder_that_is_not_there_is_said_in_a_line(tmp_path):
    result = run(tmp_path / "nowhere", tmp_path / "panel.parquet")
    assert result.exit_code == 2
    assert "does not exist" in result.output
    assert "Traceback" not in result.output
    assert leftovers(tmp_path) == []


def test_a_missing_file_is_named_and_nothing_written(raw, tmp_path):
    copy = tmp_path / "raw"
    for file in FILES.values():
        if file.key != "geo-shapes" and not (copy / file.path).exists():
            (copy / file.path).parent.mkdir(parents=True, exist_ok=True)
            (copy / file.path).symlink_to((raw / file.path).resolve())
    result = run(copy, tmp_path / "panel.parquet")
    assert result.exit_code == 2
    assert "geo/municipalities_2020.topojson is missing" in result.output
    assert leftovers(tmp_path) == ["raw"]


def test_ctrl_c_leaves_the_old_panel_and_no_half_file(raw, tmp_path, monkeypatch):
    out = tmp_path / "panel.parquet"
    out.write_bytes(b"the old one")

    def interrupted(raw, account):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "build_census", interrupted)
    result = run(raw, out)
    assert result.exit_code == 130
    assert "nothing was written" in " ".join(result.output.split())
    assert out.read_bytes() == b"the old one"
    assert leftovers(tmp_path) == ["panel.parquet"]


# Root may write into any folder, but nobody below a file.
def test_a_place_that_cannot_be_written_is_said_in_a_line(raw, tmp_path):
    (tmp_path / "file").write_text("x")
    result = run(raw, tmp_path / "file" / "panel.parquet")
    assert result.exit_code == 2
    assert "Can't write" in result.output
    assert leftovers(tmp_path) == ["file"]
