"""Progress of long work on the terminal: one line a phase, with a bar and the time it takes."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Phases:
    """Context manager that is called with a phase's description and the fraction done.

    Parameters
    ----------
    console : rich.console.Console
        Where to draw; if it is not a terminal, each phase is named once on a line of its own.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.current = ""
        self.bar = Progress(
            TextColumn("{task.description:<42}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self.task: TaskID | None = None

    def __enter__(self) -> Phases:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self.task is not None:
            self.bar.update(self.task, completed=1.0)
        self.bar.stop()

    def __call__(self, description: str, fraction: float) -> None:
        """Show that `description` is done to `fraction` (0 to 1)."""
        if description != self.current:
            if self.task is not None:
                self.bar.update(self.task, completed=1.0)
            self.current = description
            self.task = self.bar.add_task(description.capitalize(), total=1.0)
            if not self.console.is_terminal:
                self.console.print(
                    f"{description} …", markup=False, highlight=False, soft_wrap=True
                )
        if self.task is not None:
            self.bar.update(self.task, completed=min(max(fraction, 0.0), 1.0))
