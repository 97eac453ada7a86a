"""The list of commands: found by entry point, imported only when called, listed without importing any."""

from importlib.metadata import EntryPoint, entry_points

import click

from gateway.i18n import LANGUAGES

GROUP = "meterproof.commands"
FIRST_LINES = {
    "account": "Energy, balance and carbon with uncertainty. 能耗、平衡与碳排放核算（含不确定度）。",
    "archive": "Closed days as compressed files. 归档。",
    "backfill": "Enter simulated history from standard input into a simulated data folder. 向模拟数据文件夹补录历史。",
    "backup": "Copy the evidence to TARGET and verify the copy. 备份并核验。",
    "certificate": "Certificate files: digital calibration certificates, PDF, OFD. 检定/校准证书文件。",
    "check": "Check a site file and the profiles it names. 检查站点文件。",
    "collect": "Collect from the meters of a site until stopped. 采集站点各表计，直到停止。",
    "commission": "Score word orders and addresses of a meter against physics. 按物理规律核对字节序与地址。",
    "compare": "Compare the stack with fuel-side accounting. 在线监测与燃料端核算的差异研究。",
    "conflict": "Decide between two values for one time. 裁定同一时刻的两个读数。",
    "demo": "Run a simulated cement works and read it. 运行模拟水泥厂演示。",
    "enter": "Enter readings, tickets, invoices or interval files. 录入人工抄表、磅单、发票或分时电量文件。",
    "export": "Write an evidence package (ZIP). 导出证据包。",
    "influx": "Prepare an InfluxDB and see how delivery stands. 准备 InfluxDB 并查看写入情况。",
    "init": "Start a new site: a commented site file and an empty ledger. 新建站点。",
    "ledger": "The ledger of points, instruments and certificates. 计量器具台账。",
    "people": "Accounts, sign-in links and tokens. 账号、登录链接与接口令牌。",
    "profile": "Meter profiles: list them, show one. 仪表配置：列出、查看。",
    "project": "Project the journal: series, ledger, settlement, verdicts. 由日志生成各投影。",
    "read": "Read one meter once: raw words, values, quality. 读取一台表计一次：原始报文字、数值、质量。",
    "rebuild": "Build all projections again from the journal. 由日志重建全部投影。",
    "reconcile": "Compare InfluxDB with the journal. 核对 InfluxDB 与日志。",
    "replace": "Replace a meter under suspicion, step by step. 失准更换。",
    "report": "Forms, figures and reports as XLSX, PDF, DOCX, CSV and JSON. 报表、附图与审查文件。",
    "restore": "Check a backup, then restore it to a data folder. 核验备份后恢复。",
    "review": "Energy and carbon metering reviews. 能源计量审查与碳排放计量审查。",
    "revisions": "Show what settling again changed, and why. 显示重新结算改变了什么及原因。",
    "run": "Collect, project and serve until stopped. 运行采集、投影与页面服务，直到停止。",
    "scan": "Look for units at an endpoint. 扫描总线上的从站。",
    "seal": "Checkpoints, proofs, keys, witnesses. 封存、证明、密钥与见证。",
    "serve": "Serve pages and API of a data folder to those who have an account. 提供页面与接口，须登录。",
    "simulate": "Serve simulated meters described in a file. 运行文件所描述的模拟表计。",
    "stack": "Stacks with continuous monitoring. 烟气连续监测。",
    "status": "Count slots, outcomes and readings of a data folder. 统计数据文件夹的采集时隙、结果与读数。",
    "substitute": "Fill missing quarter hours of a channel by a rule. 按规则填补缺失的 15 分钟电量。",
    "verify": "Check a data folder, archive, package or proof. 核验数据文件夹、归档、证据包或证明。",
    "watch": "Watch meters in service by the balances of their nodes. 在用计量器具失准监视。",
}
"""The first line of each shipped command's own help, so that listing them all imports none; another's is imported."""


class Commands(click.Group):
    """The commands of every installed distribution; a command's module is imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        del ctx
        return sorted(point.name for point in entry_points(group=GROUP))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None where no distribution has it."""
        del ctx
        for point in entry_points(group=GROUP, name=cmd_name):
            return _loaded(point)
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list as click would write it."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names), default=0)
        rows = []
        for name in names:
            if name in FIRST_LINES:
                command: click.Command | None = click.Command(name, help=FIRST_LINES[name])
            else:
                command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _loaded(point: EntryPoint) -> click.Command:
    command = point.load()
    if not isinstance(command, click.Command):
        raise TypeError(f"entry point {point.name!r} is not a click command")
    return _speaking(command)


def _speaking(command: click.Command) -> click.Command:
    """Let ``--lang`` stand after the command too, where people type it; a command with its own keeps its own."""
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        _speaking(each)
    if not any("--lang" in parameter.opts for parameter in command.params):
        command.params.append(
            click.Option(
                ["--lang"],
                type=click.Choice(LANGUAGES),
                expose_value=False,
                callback=_choose,
                help="Language: zh or en.",
            )
        )
    return command


def _choose(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    del parameter
    if value is not None:
        context.obj = value
