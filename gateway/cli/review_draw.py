"""``meterproof review draw``: objects and inspectors by lot, and drawing again."""

import json
from pathlib import Path

import click

from gateway.assembly.platform import SystemClock, SystemRandom
from gateway.assembly.reading import open_for_reading
from gateway.assembly.review_desk import current
from gateway.cli.asked import ACTOR, DATA, FILE, read_text
from gateway.cli.review_desk import desk_of
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.review import acts
from gateway.review.acts import ReviewError, act_draft
from gateway.review.draw import Wish, draw, drawn_again
from gateway.review.gathered import Gathered

MAX_LINES = 20_000


@click.command("draw")
@click.argument("draw_id")
@DATA
@click.option(
    "--pool", type=click.Path(path_type=Path, exists=True), help="Ids, one a line; '#' and the reason excludes."
)
@click.option("--instruments", is_flag=True, help="The pool is every instrument fitted at a point.")
@click.option("--count", type=click.IntRange(1, 10_000), required=True, help="How many are drawn.")
@click.option("--seed", default="", help="Agreed seed; default: from the operating system's randomness.")
@click.option("--inspectors", type=click.Path(path_type=Path, exists=True), help="Inspectors, one a line.")
@click.option("--per-object", type=click.IntRange(0, 20), default=0, show_default=True, help="Inspectors an object.")
@click.option("--conflicts", type=click.Path(path_type=Path, exists=True), help="Lines: inspector,object or *,reason.")
@ACTOR
@click.pass_obj
def draw_command(
    language: str,
    *,
    draw_id: str,
    data: Path,
    pool: Path | None,
    instruments: bool,
    count: int,
    seed: str,
    inspectors: Path | None,
    per_object: int,
    conflicts: Path | None,
    actor: str,
) -> None:
    """Draw objects and inspectors by lot, reproducibly. 随机抽取检查对象与检查人员。"""
    if (pool is None) != instruments:
        raise click.UsageError(text(language, "name a pool with --pool, or --instruments"))
    with desk_of(language, data, actor) as desk:
        if draw_id in current(desk.folder, desk.journal).draws:
            raise ReviewError("a draw '%(id)s' is on record already", id=draw_id)
        objects, excluded = _fitted(desk.folder) if pool is None else _pool(pool)
        wish = Wish(
            what="instruments" if pool is None else "objects",
            seed=seed or SystemRandom().token(16).hex(),
            objects=objects,
            count=count,
            inspectors=_lines(inspectors) if inspectors else (),
            per_object=per_object,
            excluded=excluded,
            conflicts=[_conflict(each) for each in _lines(conflicts)] if conflicts else (),
        )
        made = draw(wish)
        now = SystemClock().utc_us()
        desk.record(
            act_draft(desk.organisation, ("draw", draw_id), acts.DRAWN, at_us=now, actor=desk.actor, object_=made)
        )
        click.echo(json.dumps(made, ensure_ascii=False, indent=1))


@click.command("draw-check")
@click.argument("file", type=FILE)
@click.pass_obj
def draw_check_command(language: str, *, file: Path) -> None:
    """Draw again from a published draw and compare. 复算已公布的抽取结果。"""
    try:
        document = json.loads(read_text(file))
    except ValueError as error:
        raise ReviewError("this is no published draw") from error
    answer = document.get("result") if isinstance(document, dict) else None
    document = answer.get("draw") if isinstance(answer, dict) else document  # as the API gives it, or the draw alone
    if not isinstance(document, dict):
        raise ReviewError("this is no published draw")
    if not drawn_again(document):
        raise ReviewError("drawn again it comes out otherwise: this draw was changed")
    click.echo(text(language, "The draw comes out the same: %(count)s drawn.", count=len(document["drawn"])))


# -- reading files


def _fitted(folder: DataFolder) -> tuple[list[str], dict[str, str]]:
    with open_for_reading(folder) as reader:
        gathered = Gathered(reader.sources, reader.asking(SystemClock().utc_us()))
        return sorted(gathered.fitted), {}


def _pool(path: Path) -> tuple[list[str], dict[str, str]]:
    objects, excluded = [], {}
    for line in _lines(path):
        name, mark, why = line.partition("#")
        objects.append(name.strip())
        if mark:
            excluded[name.strip()] = why.strip() or "excluded"
    return objects, excluded


def _conflict(line: str) -> tuple[str, str, str]:
    inspector, _, rest = line.partition(",")
    about, _, why = rest.partition(",")
    return inspector.strip(), about.strip(), why.strip()


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in read_text(path).splitlines()[:MAX_LINES] if line.strip()]


DRAWS = (draw_command, draw_check_command)
