"""What the simulators say to people, in Chinese and English. Their own table: they see nothing of the gateway."""

TEXTS: dict[str, str] = {
    "Writing %(days)s days of history": "正在写入 %(days)s 天历史数据",
    "Continuing the demo in %(folder)s.": "继续运行 %(folder)s 中的演示。",
    "A simulated cement works is running; nothing in it is real.": "模拟水泥厂正在运行，其中没有任何真实数据。",
    "Open %(url)s  (stop with Ctrl-C)": "请打开 %(url)s  （按 Ctrl-C 停止）",
    "Sign in by one of these links; each is good once:": "请用以下链接之一登录，每个链接只能使用一次：",
    "Stopped.": "已停止。",
    "Port %(port)s is in use. Name a free one with --port.": "端口 %(port)s 已被占用，请用 --port 指定一个空闲端口。",
    "%(folder)s is not empty and holds no demo. Name another folder with --data.": (
        "%(folder)s 不是空文件夹，也不是演示文件夹，请用 --data 指定另一个文件夹。"
    ),
    "%(folder)s cannot be used: %(reason)s": "%(folder)s 无法使用：%(reason)s",
    "The history in %(folder)s was interrupted and cannot be continued. Remove the folder and start again.": (
        "%(folder)s 中的历史数据写入曾被中断，无法接续。请删除该文件夹后重新开始。"
    ),
    "`%(command)s` ended with code %(code)s: %(reason)s": "“%(command)s”以代码 %(code)s 结束：%(reason)s",
    "The gateway ended by itself with code %(code)s.": "网关自行退出，代码 %(code)s。",
    "The gateway did not answer at %(url)s within %(seconds)s s.": "网关在 %(seconds)s 秒内未在 %(url)s 响应。",
    "%(file)s: %(reason)s": "%(file)s：%(reason)s",
    "Serving %(device)s as unit %(unit)s at %(place)s (%(profile)s)": (
        "%(device)s：单元 %(unit)s，地址 %(place)s（%(profile)s）"
    ),
    "Publishing %(device)s to %(place)s (%(profile)s)": "%(device)s：发布到 %(place)s（%(profile)s）",
}
"""English sentence: Chinese."""


def say(language: str, message: str, /, **facts: object) -> str:
    """The sentence in the language with its placeholders filled; a sentence without a translation is a KeyError."""
    template = TEXTS[message] if language == "zh" else message
    return template % facts if facts else template
