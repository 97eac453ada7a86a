"""``meterproof verify``: the stand-alone verifier under the gateway's own command (also ``meterproof-verify``)."""

import click

from gateway.verifier.__main__ import main as verify_main


@click.command("verify", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Check a data folder, archive, package or proof. 核验数据文件夹、归档、证据包或证明。"""
    language = ["--lang", context.obj] if context.obj else []
    context.exit(verify_main([*language, *arguments]))
