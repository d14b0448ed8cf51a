"""One small valid study of every format that can be imported, as tables of cells, for :mod:`tests.fuzz.mutations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Table = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Study:
    """``tables`` file → (rows, delimiter) · ``texts`` further files as they are · ``path`` what is imported, "" = the
    folder · ``options`` of the import · ``beside`` option → the file that is joined by it."""

    tables: Mapping[str, tuple[Table, str]]
    texts: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    beside: Mapping[str, str] = field(default_factory=dict)


def _lines(*lines: str) -> Table:
    return tuple(tuple(line.split("|")) for line in lines)


def _rows(header: Sequence[str], count: int = 6) -> Table:
    """A table by the names of its columns."""
    made = {
        "case_id": lambda i: f"TCGA-0{i % 3 + 2}-{i:04d}", "slide_id": lambda i: f"TCGA-0{i % 3 + 2}-{i:04d}-01Z.svs",
        "id": lambda i: f"H-{i:04d}", "site": lambda i: f"0{i % 3 + 2}", "age": lambda i: str(50 + i),
        "is_female": lambda i: str(i % 2), "train": lambda i: "1.0", "oncotree_code": lambda i: "HCC",
        "stage": lambda i: ("Stage I", "Stage IIB", "T1a")[i % 3], "sex": lambda i: ("female", "male")[i % 2],
        "fold": lambda i: str(i % 2), "entry": lambda i: "0", "note": lambda i: "free text, with a comma",
    }  # fmt: skip
    rows = []
    for i in range(count):
        row = []
        for name in header:
            if name in made:
                row.append(made[name](i))
            elif name.startswith(("censorship", "event")):
                row.append(str(i % 2))
            elif name.startswith(("survival", "time")):
                row.append(str(10.5 + i))
            else:
                row.append(str((i - 2) / 4) if name.endswith(("_rnaseq", "_cnv")) else str(i % 2))
        rows.append(tuple(row))
    return (tuple(header), *rows)


_GENES = ("TP53_rnaseq", "RP11-707M1.1_mut", "MARCH6_cnv")
_TCGA = ("case_id", "slide_id", "age", "site", "survival_months", "censorship", "is_female", "oncotree_code", "train")
_DSS = ("case_id", "slide_id", "site", "survival_months", "censorship", "survival_months_dss", "censorship_dss",
        "survival_months_pfi", "censorship_pfi", "is_female")  # fmt: skip
_OWN = ("id", "time", "event", "age", "sex", "stage", "site", "note", *_GENES[:1])
_COLUMNS = {"id": "id", "time": "time", "event": "event"}
_META = "genetic_alteration_type: {}\ndatatype: {}\ndata_filename: {}\n"

REPORTS = _lines("case_id|report_text|label", "H-0000|A 12 mm lesion, no ascites.|radiology",
                 "H-0001|Margins are free.|pathology", "H-0009|A stranger.|x")  # fmt: skip
FAMILIES = _lines("Growth|Repair", "TP53|RP11-707M1.1", "MARCH6|TP53")
MEDIA = _lines("id|path|modality|kind|label", "H-0000|slides/a.svs|slides|slide|", "H-0001|r/b.txt|reports||pathology",
               "H-0002|volumes/c.nii|volumes|volume|arterial")  # fmt: skip
FILES = {"slides/a.svs": "no slide", "r/b.txt": "Margins are free.", "volumes/c.nii": "no scan"}

STUDIES: Mapping[str, Study] = {
    "table": Study({"own.csv": (_rows(_OWN), ",")}, path="own.csv", options={"columns": _COLUMNS}),
    "tsv": Study({"own.tsv": (_rows(_OWN), "\t")}, path="own.tsv", options={"columns": _COLUMNS}),
    "tcga-table": Study({"tcga_hcc.csv": (_rows((*_TCGA, *_GENES)), ",")}, path="tcga_hcc.csv"),
    "survpath": Study(
        {"tcga_hcc.csv": (_rows(_DSS), ","), "rna_clean.csv": (_rows(("case_id", "TP53", "MYC")), ","),
         "splits_0.csv": (_lines("|train|val", "0|TCGA-02-0000|TCGA-03-0001", "1|TCGA-04-0002|"), ",")},
    ),
    "cbioportal": Study(
        {
            "p.txt": (_lines("PATIENT_ID|OS_STATUS|OS_MONTHS|AGE|SEX|CENTER", "a1|1:DECEASED|5|61|Female|X",
                             "b2|0:LIVING|9|50|Male|Y", "c3|0:LIVING|7|NA|Female|X"), "\t"),
            "s.txt": (_lines("PATIENT_ID|SAMPLE_ID|TYPE", "a1|a-1|x", "a1|a-2|x", "b2|b-1|y", "c3|c-1|y"), "\t"),
            "c.txt": (_lines("Hugo_Symbol|Entrez_Gene_Id|a-1|a-2|b-1", "MYC|1|2|-2|0", "TP53|2|-1|0|NA"), "\t"),
            "m.maf": (_lines("Hugo_Symbol|Variant_Classification|Tumor_Sample_Barcode", "TP53|Missense_Mutation|a-1",
                             "RB1|Silent|a-1", "RB1|Nonsense_Mutation|b-1"), "\t"),
        },
        {
            "meta_study.txt": "cancer_study_identifier: mini\nname: Mini study\n",
            "meta_p.txt": _META.format("CLINICAL", "PATIENT_ATTRIBUTES", "p.txt"),
            "meta_s.txt": _META.format("CLINICAL", "SAMPLE_ATTRIBUTES", "s.txt"),
            "meta_c.txt": _META.format("COPY_NUMBER_ALTERATION", "DISCRETE", "c.txt"),
            "meta_m.txt": _META.format("MUTATION_EXTENDED", "MAF", "m.maf"),
            "case_lists/cases_sequenced.txt": "case_list_ids: a-1\tb-1\n",
        },
    ),
    "gdc": Study(
        {"clinical.tsv": (_lines(
            "case_submitter_id|vital_status|days_to_death|days_to_last_follow_up|age_at_diagnosis|gender|tumor_stage",
            "TCGA-02-0001|Dead|300|'--|20000|female|stage ii", "TCGA-03-0002|Alive|'--|900|21000|male|stage i",
            "TCGA-04-0003|Alive|'--|700|22000|male|not reported"), "\t")}, path="clinical.tsv",
    ),
    "biotab": Study(
        {
            "nationwide_clinical_patient_lihc.txt": (_lines(
                "bcr_patient_uuid|bcr_patient_barcode|vital_status|death_days_to|last_contact_days_to|age_at_diagnosis"
                "|bilirubin_total|bilirubin_total_norm_range_lower|bilirubin_total_norm_range_upper",
                "bcr_patient_uuid|bcr_patient_barcode|vital_status|death|contact|age|b|l|u",
                "CDE_ID:|CDE_ID:2|CDE_ID:3|CDE_ID:4|CDE_ID:5|CDE_ID:6|CDE_ID:7|CDE_ID:8|CDE_ID:9",
                "u1|TCGA-02-0001|Dead|300|200|60|0.8|0.2|1.2", "u2|TCGA-03-0002|Alive|[Not Available]|900|50|14|3|21"),
                "\t"),
            "nationwide_clinical_follow_up_v4.0_lihc.txt": (_lines(
                "bcr_patient_barcode|vital_status|death_days_to|last_contact_days_to", "TCGA-03-0002|Dead|1000|950"),
                "\t"),
        },
    ),
    "folder": Study(
        {"patients.csv": (_rows(_OWN), ","), "reports.csv": (REPORTS, ",")},
        {"slides/H-0000-a.svs": "no slide", "reports/H-0001.txt": "Margins are free.", "volumes/H-0002/t1.nii": "x"},
    ),
    "media list": Study({"patients.csv": (_rows(_OWN), ","), "files.csv": (MEDIA, ",")}, FILES),
    "reports": Study(
        {"own.csv": (_rows(_OWN), ","), "texts.csv": (REPORTS, ",")}, path="own.csv", options={"columns": _COLUMNS},
        beside={"reports": "texts.csv"},
    ),
    "families": Study(
        {"own.csv": (_rows(_OWN), ","), "families.csv": (FAMILIES, ",")}, path="own.csv", options={"columns": _COLUMNS},
        beside={"families": "families.csv"},
    ),
    "gmt": Study(
        {"own.csv": (_rows(_OWN), ","), "f.gmt": (_lines("Growth|x|TP53|MYC", "Repair|y|MARCH6"), "\t")},
        path="own.csv", options={"columns": _COLUMNS}, beside={"families": "f.gmt"},
    ),
    "clinical": Study(
        {"tcga_hcc.csv": (_rows((*_TCGA, *_GENES)), ","), "more/clinical.tsv": (_lines(
            "case_submitter_id|vital_status|days_to_death|days_to_last_follow_up|gender",
            "TCGA-02-0000|Dead|300|'--|female", "TCGA-03-0001|Alive|'--|900|male"), "\t")}, path="tcga_hcc.csv",
        beside={"clinical": "more/clinical.tsv"},
    ),
    "files beside": Study(
        {"own.csv": (_rows(_OWN), ","), "files.csv": (MEDIA, ",")}, FILES, path="own.csv",
        options={"columns": _COLUMNS}, beside={"media": "files.csv"},
    ),
}  # fmt: skip
