"""The catalogue of faults and one planted fault."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["value", "wire", "message"]
FOR_EVER = 2**62


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What a kind does and where. ``parameters`` are the settings it takes with their defaults."""

    place: Place
    zh: str
    en: str
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    lasting: bool = False  # True: it does not end with its window


KINDS: dict[str, FaultKind] = {
    "zero": FaultKind("value", "累计值瞬时归零", "counters show zero for a moment"),
    "jitter_back": FaultKind("value", "累计值小幅回退", "counters step back by a little", {"step": 0.02}),
    "rollover": FaultKind(
        "value", "计数器翻转", "the counter reaches its last digit at the start", {"modulus": 0.0}, True
    ),
    "reset": FaultKind("value", "计数器清零后继续累计", "counters start again from zero", {}, True),
    "exchange": FaultKind(
        "value",
        "换表（新编号、新底度）",
        "another meter: new serial number, new index",
        {"serial": "", "index": 0.0},
        True,
    ),
    "ct_change": FaultKind("value", "互感器变比变化", "the current transformer's ratio changes", {"factor": 1.5}, True),
    "drift": FaultKind("value", "误差漂移", "the error grows", {"percent_a_day": 0.5}, True),
    "stuck": FaultKind("value", "数值冻结", "values stand still"),
    "sentinel": FaultKind("value", "以“无值”标志应答", "the meter answers with its sign for no value"),
    "range_changed": FaultKind(
        "value", "变比寄存器被改", "the ratio register shows another value", {"ct_ratio": 1.0}, True
    ),
    "identical": FaultKind("value", "与另一表读数完全相同", "shows exactly what another meter shows", {"other": ""}),
    "replay": FaultKind(
        "value", "重放此前的数据", "repeats what it showed some time before", {"lag_s": 86_400.0}, True
    ),
    "clock_step": FaultKind("value", "设备时钟跳变", "the device's clock is off", {"seconds": 3_600.0}),
    "silence": FaultKind("wire", "不应答", "no answer"),
    "late": FaultKind("wire", "应答迟到", "the answer comes late", {"delay_s": 3.0}),
    "slow": FaultKind("wire", "应答缓慢", "the answer takes its time", {"delay_s": 0.4}),
    "foreign_unit": FaultKind("wire", "应答来自其他单元", "another unit's number in the answer"),
    "foreign_transaction": FaultKind("wire", "应答事务号不符", "another transaction's number in the answer"),
    "foreign_function": FaultKind("wire", "应答功能码不符", "another function's number in the answer"),
    "two_frames": FaultKind("wire", "一个报文段含两帧", "the frame before comes again in the same segment"),
    "partial": FaultKind("wire", "残缺帧后无声", "half a frame, then nothing"),
    "split": FaultKind("wire", "一帧分两段", "one frame in two segments", {"delay_s": 0.05}),
    "short": FaultKind("wire", "字节数不符", "fewer registers than asked for"),
    "exception": FaultKind("wire", "异常应答", "a Modbus exception", {"code": 6.0}),
    "word_swap": FaultKind("wire", "字序错误", "registers swapped in pairs"),
    "off_by_one": FaultKind("wire", "寄存器偏移一位", "registers shifted by one"),
    "hang_up": FaultKind("wire", "断开连接", "the connection is closed instead of an answer"),
    "garbage": FaultKind("wire", "乱码", "bytes that are no frame"),
    "no_message": FaultKind("message", "不发送", "nothing is sent"),
    "duplicate": FaultKind("message", "重复发送", "every message twice"),
    "poison": FaultKind("message", "无法解码的报文", "messages that cannot be decoded"),
    "retained": FaultKind("message", "以保留标志发送", "messages are sent retained"),
}
"""Every kind by name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one device in ``[from_us, to_us)``; ``every`` n: only each n-th exchange or message of the
    window."""

    kind: str
    device: str
    from_us: int
    to_us: int = FOR_EVER
    every: int = 1
    settings: Mapping[str, float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is named {self.kind!r}; known: {', '.join(KINDS)}")
        unknown = set(self.settings) - set(KINDS[self.kind].parameters)
        if unknown:
            raise ValueError(f"fault {self.kind!r} has no setting {', '.join(sorted(unknown))}")
        if self.to_us <= self.from_us or self.every < 1:
            raise ValueError(f"fault {self.kind!r} ends before it begins")

    @property
    def place(self) -> Place:
        """Where it acts."""
        return KINDS[self.kind].place

    def active(self, at_us: int) -> bool:
        """Whether it acts at an instant; a lasting one from its start on."""
        return self.from_us <= at_us and (KINDS[self.kind].lasting or at_us < self.to_us)

    def number(self, name: str) -> float:
        """A numeric setting, or its default."""
        return float(self.settings.get(name, KINDS[self.kind].parameters[name]))

    def text(self, name: str) -> str:
        """A text setting, or its default."""
        return str(self.settings.get(name, KINDS[self.kind].parameters[name]))


def of_device(faults: Iterable[Fault], device: str, place: Place) -> tuple[Fault, ...]:
    """The faults of one device at one place, by start."""
    return tuple(
        sorted(
            (each for each in faults if each.device == device and each.place == place), key=lambda each: each.from_us
        )
    )
