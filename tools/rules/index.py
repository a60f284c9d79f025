"""IDX: the index itself can be read and says what it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tools.rules.evidence import Evidence
from tools.rules.records import Severity
from tools.rules.rule import Outcome, Rule
from tools.rules.values import WrongType


class ProblemRule(Rule):
    """A rule that passes on what the loader found."""

    kind: ClassVar[str]
    """One of :data:`tools.modelindex.records.PROBLEM_KINDS`."""

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Pass on the loader's problems of this kind."""
        for problem in evidence.index.problems:
            if problem.kind == self.kind:
                hint = problem.hint.strip()
                message = f"{problem.message.rstrip('.')}. {hint}" if hint else problem.message
                yield self.finding(problem.place, message, model=problem.model)


class Unreadable(ProblemRule):
    """A file that cannot be read."""

    code = "IDX001"
    kind = "unreadable"
    title = "The file cannot be read"
    why = (
        "What cannot be read cannot be checked, and other tools will drop it, often in silence. The rest of the index "
        "is audited all the same."
    )
    remedy = (
        "The finding stands where the parser gave up; the mistake is there or shortly before it: an indent, a missing "
        "quote around a text with a colon, a tab. Files must be UTF-8 and free of YAML tags, and stay within sane "
        "limits of size and nesting."
    )
    before = "Models:\n- Name: mixnet_s\n  Metadata: {Parameters: 4130000\n"
    after = "Models:\n- Name: mixnet_s\n  Metadata: {Parameters: 4130000}\n"


class MissingName(ProblemRule):
    """A model or collection without a name."""

    code = "IDX002"
    kind = "missing-name"
    title = "A model or collection without a Name"
    why = "The name is what the zoo builds and what everything else refers to; without one nothing can be checked."
    remedy = "Add `Name:` with the name that the zoo's factory takes."
    before = "Models:\n- Metadata:\n    Parameters: 4130000\n"
    after = "Models:\n- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000\n"


class DuplicateModel(ProblemRule):
    """Two entries under one name."""

    code = "IDX003"
    kind = "duplicate-model"
    title = "Two models share one name"
    why = (
        "Readers and tools take one of the two entries, and which one is chance. Usually one of them was copied and "
        "never renamed, so that a model is missing, too."
    )
    remedy = "Rename or remove one of them. The same model evaluated twice is one entry with two results."
    before = "Models:\n- Name: mixnet_s\n- Name: mixnet_s\n"
    after = "Models:\n- Name: mixnet_s\n- Name: mixnet_m\n"


class UnknownCollection(ProblemRule):
    """A collection that does not exist."""

    code = "IDX004"
    kind = "unknown-collection"
    title = "In Collection names a collection that does not exist"
    why = "The model silently loses everything that it should inherit: the paper, the training data, the results."
    remedy = "Correct the name, or add the collection under `Collections:`."
    before = "Collections:\n- Name: MixNet\nModels:\n- Name: mixnet_s\n  In Collection: MixNets\n"
    after = "Collections:\n- Name: MixNet\nModels:\n- Name: mixnet_s\n  In Collection: MixNet\n"


class MissingImport(ProblemRule):
    """A path that does not exist."""

    code = "IDX006"
    kind = "missing-import"
    title = "An imported file does not exist"
    why = "Everything in that file is missing from the index, and nobody would notice."
    remedy = "Correct the path; it is relative to the file in which it stands."
    before = "Import:\n- cards/mixnett.md\n"
    after = "Import:\n- cards/mixnet.md\n"


class EmptyGlob(ProblemRule):
    """A pattern that matches nothing."""

    code = "IDX007"
    kind = "empty-glob"
    title = "A pattern matches no file"
    why = "An index that imports nothing looks exactly like one that is in order."
    remedy = "Correct the pattern, or remove it where the folder is gone."
    before = "Import:\n- crads/*.md\n"
    after = "Import:\n- cards/*.md\n"


class ImportCycle(ProblemRule):
    """Files that import each other."""

    code = "IDX008"
    kind = "import-cycle"
    title = "Files import each other"
    why = "Neither file can be read before the other; a simple reader recurses until it crashes."
    remedy = "Let one file import the other, not both."
    before = "Import:\n- model-index.yml\n"
    after = "Import:\n- cards/mixnet.md\n"


class OutsideRoot(ProblemRule):
    """A path that leaves the repository."""

    code = "IDX009"
    kind = "outside-root"
    title = "A path leaves the repository"
    why = (
        "Such a path works on one machine only, and an index from elsewhere could read files that are nobody's "
        "business. It is refused, also by way of a symbolic link."
    )
    remedy = "Move the file into the repository, or set `--root` to the folder that holds both."
    before = "Import:\n- ../../elsewhere.yml\n"
    after = "Import:\n- cards/mixnet.md\n"


class DuplicateKey(ProblemRule):
    """A key that stands twice."""

    code = "IDX010"
    kind = "duplicate-key"
    title = "A key stands twice"
    why = "YAML readers keep the last of the two and drop the other without a word: one of the values is never read."
    remedy = "Remove one of them: whichever of the two values is wrong."
    before = "- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000\n    Parameters: 5010000\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000\n"


class MisspeltField(ProblemRule):
    """A field that is nearly a known one."""

    code = "IDX011"
    kind = "misspelt-field"
    title = "A field that is nearly a known one"
    severity = Severity.WARNING
    why = (
        "Unknown fields are allowed, so a misspelt one is taken for a custom field, and its claim is neither shown "
        "nor checked."
    )
    remedy = "Write the field as the finding suggests."
    before = "- Name: mixnet_s\n  Metadata:\n    Paramters: 4130000\n"
    after = "- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000\n"


class IgnoreWithoutReason(ProblemRule):
    """An ignore that says not why."""

    code = "IDX012"
    kind = "ignore-without-reason"
    title = "An ignore without a reason"
    why = "Whoever reads the card next cannot tell a considered exception from a silenced mistake. It is not obeyed."
    remedy = "Say why behind the bracket: `# audit: ignore[FLP001] counted with a private tool`."
    before = "- Name: vit_toy\n  Metadata:\n    FLOPs: 1250M  # audit: ignore[FLP003]\n"
    after = "- Name: vit_toy\n  Metadata:\n    FLOPs: 1250M  # audit: ignore[FLP003] without attention, as published\n"


class UnusedIgnore(Rule):
    """An ignore that ignores nothing. The engine reports it: only it knows what was ignored."""

    code = "IDX013"
    title = "An ignore that ignores nothing"
    severity = Severity.WARNING
    why = (
        "What it excused has been mended, or the code is misspelt; left standing, it would hide the next mistake on "
        "that line. It is only reported where every rule that it names could run."
    )
    remedy = "Remove the comment, or correct the code."
    before = (
        "- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000  # audit: ignore[PAR001] counted without the stem\n"
    )
    after = "- Name: mixnet_s\n  Metadata:\n    Parameters: 4130000\n"

    def check(self, evidence: Evidence) -> Iterator[Outcome]:
        """Nothing by itself, see :func:`tools.rules.engine.judge`."""
        del evidence
        return iter(())


INDEX_RULES = (
    Unreadable(),
    MissingName(),
    DuplicateModel(),
    UnknownCollection(),
    WrongType(),
    MissingImport(),
    EmptyGlob(),
    ImportCycle(),
    OutsideRoot(),
    DuplicateKey(),
    MisspeltField(),
    IgnoreWithoutReason(),
    UnusedIgnore(),
)
