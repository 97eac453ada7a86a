"""``python -m tests.interface.serving FOLDER PORT``: the pages of a test folder at the instant it was made for."""

import sys
from pathlib import Path

import uvicorn

from api.app import create_app
from tests.plant_folder import FixedClock

if __name__ == "__main__":
    uvicorn.run(
        create_app(Path(sys.argv[1]), clock=FixedClock()),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_level="warning",
        access_log=False,
    )
