"""What the codes mean, for people, in Chinese and English. Placeholders are the facts of the finding."""

# by code: English, Chinese
TEXTS: dict[str, tuple[str, str]] = {
    "about.kind": ("Checked", "核验对象"),
    "about.path": ("Path", "路径"),
    "about.origin": ("Log", "日志标识"),
    "about.simulated": ("Data", "数据性质"),
    "about.site": ("Site", "场所"),
    "about.key": ("Public key", "公钥"),
    "about.checkpoint": ("Newest checkpoint", "最新检查点"),
    "about.from": ("From", "起"),
    "about.to": ("To", "止"),
    "about.key_source": ("Key taken from", "公钥来源"),
    "count.entries": ("Entries checked", "已核验条目"),
    "count.hashes_only": ("Entries known by their hash only", "仅存哈希的条目"),
    "count.sealed": ("Entries under a checkpoint", "已封存条目"),
    "count.checkpoints": ("Checkpoints checked", "已核验检查点"),
    "count.tiles": ("Tree tiles checked", "已核验哈希树分块"),
    "count.segments": ("Archive files checked", "已核验归档文件"),
    "count.blobs": ("Documents checked", "已核验文件"),
    "count.members": ("Package members checked", "已核验成员文件"),
    "count.values": ("Values compared", "已比对数值"),
    "count.figures": ("Figures recomputed", "已复算数值"),
    "count.acts": ("Reviewers' acts checked", "已核验审查员签署事项"),
    "count.against": ("Outside checkpoints compared", "已比对外部检查点"),
    "word.note": ("Note", "说明"),
    "word.problem": ("PROBLEM", "问题"),
    "word.more": ("… and %(count)s further problems", "……另有 %(count)s 个问题"),
    "result.ok": ("OK: everything checked holds.", "通过：核验内容全部成立。"),
    "result.bad": ("NOT OK: %(count)s problem(s).", "不通过：共 %(count)s 个问题。"),
    # what can be wrong
    "input.unreadable": ("it cannot be read (%(reason)s)", "无法读取（%(reason)s）"),
    "input.unknown": (
        "this is neither a data folder, an archive, an evidence package nor a proof",
        "既不是数据文件夹、归档、证据包，也不是证明文件",
    ),
    "journal.damaged": ("the journal cannot be read (%(reason)s)", "日志库无法读取（%(reason)s）"),
    "journal.foreign": (
        "the database holds something that is not the journal's: %(name)s",
        "数据库中存在不属于日志库的对象：%(name)s",
    ),
    "entry.meaning": ("what it says cannot be used: %(reason)s", "内容无法解读：%(reason)s"),
    "journal.empty": ("there are no entries", "没有任何条目"),
    "birth.wrong": ("the first entry is not the folder's birth", "首条不是数据文件夹的创建条目"),
    "birth.origin": (
        "the checkpoint is of log %(found)s, the folder is %(expected)s",
        "检查点属于日志 %(found)s，本文件夹为 %(expected)s",
    ),
    "entry.body": ("its bytes are not a valid entry: %(reason)s", "字节不是有效条目：%(reason)s"),
    "entry.fields": ("these fields are missing or wrong: %(fields)s", "字段缺失或有误：%(fields)s"),
    "entry.column": ("the column '%(column)s' differs from the body", "列“%(column)s”与正文不一致"),
    "entry.leaf": ("the stored hash is not the body's", "存储的哈希与正文不符"),
    "entry.gap": ("entries %(first)s to %(last)s are missing", "缺少条目 %(first)s 至 %(last)s"),
    "entry.order": ("the number does not follow entry %(previous)s", "编号未接续条目 %(previous)s"),
    "entry.twice": ("the hot copy differs from the archived entry", "在线副本与归档条目不一致"),
    "tile.differs": ("the tile differs from the entries", "分块与条目不符"),
    "tile.missing": ("the tile is missing", "缺少分块"),
    "file.foreign": ("this file does not belong here", "此文件不属于这里"),
    "checkpoint.malformed": ("it is malformed: %(reason)s", "格式错误：%(reason)s"),
    "checkpoint.signature": ("no valid signature of the log's key: %(reason)s", "没有日志密钥的有效签名：%(reason)s"),
    "checkpoint.lines": (
        "it carries a line that is not a signature of the log, or lines doubled or moved",
        "含有非本日志签名的行，或签名行重复、移位",
    ),
    "checkpoint.root": (
        "its root differs from the entries: something under it was changed",
        "根哈希与条目不符：其覆盖的内容已被改动",
    ),
    "checkpoint.beyond": (
        "it covers %(size)s entries, only %(have)s are here: the end was cut off",
        "其覆盖 %(size)s 条，此处仅有 %(have)s 条：末尾被截去",
    ),
    "checkpoint.gap": ("checkpoint %(number)s is missing", "缺少检查点 %(number)s"),
    "checkpoint.order": ("it does not cover more entries than the one before", "其覆盖范围未大于前一个检查点"),
    "checkpoint.unknown": (
        "the package does not show that it continues this checkpoint (%(size)s entries); ask for it in a new export",
        "证据包未给出与该检查点（%(size)s 条）衔接的证明；请在新导出中索取",
    ),
    "checkpoint.newest": ("the newest checkpoint is not the last one signed", "最新检查点不是最后签署的一个"),
    "checkpoint.none": ("no checkpoint at all: nothing is sealed", "没有任何检查点：尚未封存"),
    "checkpoint.other_log": ("it is of another log: %(found)s", "属于另一日志：%(found)s"),
    "key.none": ("no key is named in the entries", "条目中没有密钥"),
    "key.differs": ("the public key is not the one in the entries", "公钥与条目中的不一致"),
    "key.given": ("the log's first key is not the key given", "日志的首个密钥不是所给密钥"),
    "key.rotation": ("the new key was not confirmed by a signature of the old one", "新密钥未经旧密钥签名确认"),
    "key.malformed": ("the key cannot be read: %(reason)s", "密钥无法读取：%(reason)s"),
    "archive.damaged": ("the archive file is damaged: %(reason)s", "归档文件损坏：%(reason)s"),
    "archive.hash": ("the file's SHA-256 is not the sealed one", "文件的 SHA-256 与封存值不符"),
    "archive.missing": ("the archive file is missing and no prune was recorded", "归档文件缺失且无清除记录"),
    "archive.unclosed": ("no sealed entry names this archive file", "没有封存条目登记此归档文件"),
    "blob.differs": ("the document's bytes do not give its name", "文件内容与其哈希名不符"),
    "blob.missing": ("the document that entry %(seq)s names is missing", "条目 %(seq)s 引用的文件缺失"),
    "proof.malformed": ("the proof is malformed: %(reason)s", "证明格式错误：%(reason)s"),
    "proof.root": ("the proof does not lead to the checkpoint's root", "证明未得出检查点的根哈希"),
    "proof.key": ("no key was given (--key), so the signature cannot be judged", "未提供公钥（--key），无法判断签名"),
    "package.malformed": ("the package cannot be read: %(reason)s", "证据包无法读取：%(reason)s"),
    "package.manifest": ("the manifest is not the one that was sealed", "清单不是已封存的清单"),
    "package.birth": (
        "the manifest says '%(field)s' is %(stated)s, the sealed first entry says %(sealed)s",
        "清单中“%(field)s”为 %(stated)s，而封存的首条为 %(sealed)s",
    ),
    "package.span": ("the figures are of another span than the manifest's", "数值的时间范围与清单不符"),
    "package.missing": ("the member is missing", "缺少成员文件"),
    "package.foreign": ("the member is not in the manifest", "成员文件不在清单中"),
    "package.order": ("the members are not in the manifest's order", "成员文件顺序与清单不符"),
    "package.twice": ("the member occurs twice", "成员文件重复"),
    "package.hash": ("the member's bytes were changed", "成员文件内容已被改动"),
    "package.tree": ("the entries do not lead to the checkpoint's root", "条目未得出检查点的根哈希"),
    "figure.differs": (
        "the figure is %(stated)s, the sealed entries give %(computed)s",
        "所示数值为 %(stated)s，按封存条目复算为 %(computed)s",
    ),
    "figure.evidence": ("the figure's evidence is missing: entry %(seq)s", "数值的依据缺失：条目 %(seq)s"),
    "value.differs": (
        "%(channel)s is %(stored)s in the store, the sealed entry %(seq)s gives %(sealed)s",
        "%(channel)s 存储值为 %(stored)s，封存条目 %(seq)s 给出 %(sealed)s",
    ),
    "value.missing": ("entry %(seq)s is missing from the store", "存储中缺少条目 %(seq)s"),
    "value.foreign": ("the store holds a row that no sealed entry gives", "存储中存在没有封存条目支持的数据"),
    "value.undecodable": (
        "the plan of entry %(seq)s cannot be used: %(reason)s",
        "条目 %(seq)s 的解码方案不可用：%(reason)s",
    ),
    "store.damaged": ("the store cannot be read: %(reason)s", "存储无法读取：%(reason)s"),
    "review.forged": (
        "it claims to be an act of the reviewer '%(reviewer)s' and is none: %(reason)s",
        "自称是审查员“%(reviewer)s”的签署事项，但不成立：%(reason)s",
    ),
    "review.reviewer": (
        "the reviewer '%(reviewer)s' has the key %(key)s, which is none of those given with --reviewer",
        "审查员“%(reviewer)s”的公钥 %(key)s 不在 --reviewer 所给公钥之中",
    ),
    "review.registration": (
        "it registers the reviewer '%(reviewer)s' and does not hold: %(reason)s",
        "登记审查员“%(reviewer)s”的条目不成立：%(reason)s",
    ),
    # good to know
    "note.reviewer": (
        "acts of the reviewer '%(reviewer)s' are signed with %(key)s; compare it with the key the authority gives out",
        "审查员“%(reviewer)s”的签署事项使用公钥 %(key)s；请与其所属机构公布的公钥比对",
    ),
    "note.unsealed": (
        "entries %(first)s to %(last)s come after the last checkpoint: not yet sealed",
        "条目 %(first)s 至 %(last)s 在最后一个检查点之后：尚未封存",
    ),
    "note.trust": (
        "the public key comes from what is being checked; compare it with one received earlier, or give it with --key",
        "公钥取自被核验对象本身；请与此前收到的公钥比对，或用 --key 提供",
    ),
    "note.witness": (
        (
            "without a checkpoint received earlier (--against), a history that the key's holder rewrote whole, or an"
            " end that was cut off together with its checkpoints, cannot be seen"
        ),
        "未提供此前收到的检查点（--against）时，密钥持有者整体重写的历史，或连同检查点一并截去的末尾，无法被发现",
    ),
    "note.no_series": ("no store of readings was compared with the entries", "未将读数存储与条目比对"),
    "note.behind": (
        "it is filled up to entry %(applied)s; readings after it are not compared, the first is entry %(first)s",
        "仅填充至条目 %(applied)s；其后的读数未比对，首个为条目 %(first)s",
    ),
    "note.pruned": (
        "entries were pruned by a signed act; their hashes are still in the tree",
        "条目已按签名记录清除；其哈希仍在哈希树中",
    ),
    "note.hashes": (
        "entries %(first)s to %(last)s are not in this copy; only their hashes are",
        "条目 %(first)s 至 %(last)s 不在本副本中，仅有其哈希",
    ),
    "note.clock_back": (
        "the recorded time steps back by up to %(seconds)s s, %(count)s time(s) in all; first here",
        "记录时间最多回退 %(seconds)s 秒，共 %(count)s 次；首次在此",
    ),
    "note.clock_step": ("the clock was stepped by %(offset)s µs", "时钟被步进调整 %(offset)s 微秒"),
    "note.slots": (
        "%(count)s slot(s) have neither a reading nor a miss; the first is %(slot)s",
        "有 %(count)s 个时段既无读数也无缺测记录；首个为 %(slot)s",
    ),
    "note.unfinished": ("left over from an interrupted write; harmless", "中断写入的残留文件；无影响"),
    "note.cosigned": ("cosigned by the witness %(witness)s", "已由见证方 %(witness)s 联署"),
    "note.virtual": ("simulated data: it proves nothing about a real plant", "模拟数据：不证明任何真实工厂"),
    "note.scope": (
        "padding of containers (ZIP, SQLite free space) is outside what is promised",
        "容器的填充字节（ZIP、SQLite 空闲空间）不在承诺范围内",
    ),
}


VALUES = {
    "evidence package": "证据包",
    "data folder": "数据文件夹",
    "archive copy": "归档副本",
    "proof": "证明",
    "simulated": "模拟",
    "real": "真实",
}
"""What is said about the thing checked, in Chinese."""

REASONS = {
    "another reviewer's": "所登记的是另一名审查员",
    "no such reviewer was registered before": "此前未登记该审查员",
    "its origin is another one": "其日志标识不符",
    "its review is another one": "其所属审查不符",
    "its action is another one": "其事项种类不符",
    "its documents are others": "其附件不符",
    "the review's plan does not name the reviewer": "审查计划未列该审查员",
    "it does not follow the reviewer's act before": "与该审查员上一签署事项不衔接",
    "it carries no signature": "没有签名",
    "it is none of ours": "不是本程序的格式",
    "the registered key of %s did not sign it": "%s 登记的密钥未对其签名",
    "the signature of %s does not verify": "%s 的签名验证不通过",
}
"""Why an act of a reviewer does not hold, in Chinese; ``%s`` stands for a name."""


def value(language: str, said: object) -> str:
    """A value about the thing checked, in the reader's words."""
    return VALUES.get(str(said), str(said)) if language == "zh" else str(said)


def reason(language: str, english: str) -> str:
    """A reason in the reader's words; as it stands where it has none."""
    if language == "zh":
        for known, chinese in REASONS.items():
            before, mark, after = known.partition("%s")
            if not mark and english == known:
                return chinese
            if mark and english.startswith(before) and english.endswith(after):
                return chinese.replace("%s", english[len(before) : len(english) - len(after)])
    return english


def sentence(language: str, code: str, facts: dict[str, str]) -> str:
    """The sentence of a code in ``zh`` or ``en``; the code itself when it has none."""
    english, chinese = TEXTS.get(code, (code, code))
    return (english if language == "en" else chinese) % facts
