"""The concepts of the lexicon: a written list of liver and tumour findings and the words for them."""
# ruff: noqa: E501  a pattern is one line

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Organ(StrEnum):
    """What a concept is about."""

    LIVER = "liver"
    TUMOUR = "tumour"
    OTHER = "other"


@dataclass(frozen=True)
class Concept:
    """A named finding: what it is about, and the pattern of its words."""

    name: str
    organ: Organ
    pattern: str


_L, _T, _O = Organ.LIVER, Organ.TUMOUR, Organ.OTHER

CONCEPTS: tuple[Concept, ...] = (
    Concept("cirrhosis", _L, r"cirrho\w*|micronodular|macronodular"),
    Concept("fibrosis", _L, r"fibros\w*|fibrotic|bridging|septa\b"),
    Concept("steatosis", _L, r"steato\w*|fatty (?:change|infiltration|liver)|nash|nafld|signal (?:drop|loss)"),
    Concept("hepatitis", _L, r"(?:chronic )?hepatitis|hepatitic|\bhbv\b|\bhcv\b|hepatitis [bc]"),
    Concept(
        "nodular contour",
        _L,
        r"(?:nodular|irregular|lobulated|coarse)\w* (?:\w+ )?(?:contour|surface|margin of the liver|outline)",
    ),
    Concept("smooth contour", _L, r"smooth (?:\w+ )?(?:contour|surface|outline)"),
    Concept(
        "coarse parenchyma",
        _L,
        r"(?:coarse|heterogeneous|inhomogeneous)\w* (?:\w+ ){0,2}(?:parenchyma|liver|echotexture|texture)",
    ),
    Concept(
        "normal liver",
        _L,
        r"(?:normal|unremarkable|homogeneous) (?:\w+ ){0,2}(?:liver|hepatic parenchyma|parenchyma)|(?:liver|parenchyma) (?:is|appears|was) (?:normal|unremarkable|homogeneous)",
    ),
    Concept("hepatomegaly", _L, r"hepatomegaly|enlarged liver|liver is enlarged"),
    Concept("atrophy", _L, r"atroph\w*|shrunken|hypertroph\w* of the caudate|caudate hypertrophy|small liver"),
    Concept("ascites", _L, r"ascites|free (?:abdominal |intraperitoneal )?fluid|perihepatic fluid"),
    Concept("splenomegaly", _L, r"splenomegaly|enlarged spleen|spleen is enlarged"),
    Concept("varices", _L, r"varic\w+|collateral\w*|recanali[sz]ed umbilical|portosystemic"),
    Concept("portal hypertension", _L, r"portal hypertension|portal venous hypertension"),
    Concept(
        "iron",
        _L,
        r"iron (?:deposition|overload)|siderosis|hemosider\w*|haemosider\w*|hemochromatosis|haemochromatosis",
    ),
    Concept(
        "bile duct dilatation",
        _L,
        r"(?:biliary|bile duct\w*|ductal|duct) (?:\w+ )?dilat\w+|dilat\w+ (?:\w+ )?(?:bile|biliary|intrahepatic)|cholestasis|jaundice",
    ),
    Concept("inflammation", _L, r"inflamm\w+|lymphocytic infiltrate|portal infiltrate|piecemeal necrosis"),
    Concept("tumour", _T, r"tumou?rs?|neoplas\w+|malignan\w+|mass(?:es)?|lesions?|nodules?"),
    Concept("carcinoma", _T, r"(?:hepatocellular )?carcinoma|\bhcc\b|hepatoma|adenocarcinoma"),
    Concept("cholangiocarcinoma", _T, r"cholangiocarcinoma|cholangiocellular"),
    Concept("metastasis", _T, r"metasta\w+|extrahepatic (?:spread|disease)|distant spread"),
    Concept(
        "lymph nodes",
        _T,
        r"lymphadenopathy|(?:enlarged|suspicious|pathologic\w*|metastatic) (?:\w+ )?(?:lymph )?nodes?|nodal (?:metasta\w+|disease|involvement)",
    ),
    Concept(
        "multifocal",
        _T,
        r"multifocal\w*|multiple (?:\w+ ){0,2}(?:lesions|nodules|tumou?rs|masses|foci)|bilobar|satellite\w*|multicentric|(?:two|three|four|five|several|numerous) (?:\w+ ){0,2}(?:lesions|nodules|tumou?rs|masses)",
    ),
    Concept("solitary", _T, r"solitary|unifocal|single (?:\w+ ){0,2}(?:lesion|nodule|tumou?r|mass)"),
    Concept(
        "vascular invasion",
        _T,
        r"(?:vascular|venous) ?\(large vessel ?\) ?invasion|(?:(?:lympho)?vascular|venous|vessel|angio|lymphovascular space|portal vein) invasion|angioinvasion|invasion of the (?:portal|hepatic) vein|invad\w+ the (?:portal|hepatic) vein",
    ),
    Concept(
        "microvascular invasion",
        _T,
        r"microvascular|microscopic (?:venous |vascular |\(small vessel ?\) )?invasion|small vessel",
    ),
    Concept(
        "portal vein thrombus",
        _T,
        r"(?:portal vein|venous|tumou?r) thromb\w+|thromb\w+ (?:of|in) the portal|\bpvtt\b|filling defect",
    ),
    Concept(
        "arterial enhancement",
        _T,
        r"(?:arterial\w* (?:phase )?(?:hyper)?enhanc\w*|hypervascular\w*|hyperenhanc\w*|\baphe\b)",
    ),
    Concept("washout", _T, r"wash[- ]?out"),
    Concept("capsule", _T, r"(?:tumou?r |enhancing |pseudo)?capsule|encapsulated|pseudocapsule"),
    Concept("necrosis", _T, r"necro\w+"),
    Concept("haemorrhage", _T, r"ha?emorrhag\w*|bleed\w*|rupture\w*"),
    Concept("fat in lesion", _T, r"(?:intralesional|intratumou?ral|microscopic) fat|fat[- ]containing|clear cell"),
    Concept(
        "infiltrative",
        _T,
        r"infiltrat\w+ (?:\w+ )?(?:growth|margin|tumou?r|mass|lesion|border)|ill[- ]defined|diffuse(?:ly)? infiltrat\w+|poorly (?:defined|marginated|circumscribed)",
    ),
    Concept(
        "well defined",
        _T,
        r"well[- ](?:defined|circumscribed|marginated|demarcated)|sharply (?:defined|marginated)|circumscribed",
    ),
    Concept(
        "restricted diffusion",
        _T,
        r"restrict\w+ (?:of )?diffusion|diffusion restriction|high (?:signal|b-value signal)|hyperintens\w+ on (?:dwi|diffusion)",
    ),
    Concept(
        "well differentiated",
        _T,
        r"well[- ]differentiated|grade (?:1|i\b)|\bg1\b|edmondson(?:-steiner)? (?:grade )?(?:1|i\b)",
    ),
    Concept("moderately differentiated", _T, r"moderate(?:ly)?[- ]differentiated|grade (?:2|ii\b)|\bg2\b"),
    Concept(
        "poorly differentiated",
        _T,
        r"poorly[- ]differentiated|undifferentiated|anaplastic|grade (?:3|iii\b|4|iv\b)|\bg[34]\b",
    ),
    Concept("stage t1", _T, r"\bp?t1[ab]?\b"),
    Concept("stage t2", _T, r"\bp?t2[ab]?\b"),
    Concept("stage t3", _T, r"\bp?t3[ab]?\b"),
    Concept("stage t4", _T, r"\bp?t4[ab]?\b"),
    Concept("nodes n1", _T, r"\bp?n1\b"),
    Concept(
        "positive margin",
        _T,
        r"(?:positive|involved|close) (?:\w+ ){0,2}margins?|margins? (?:\w+ ){0,2}(?:positive|involved)|\br1\b|extends to (?:the )?(?:\w+ )?margin",
    ),
    Concept(
        "negative margin",
        _T,
        r"(?:negative|clear|free|uninvolved) (?:\w+ ){0,2}margins?|margins? (?:\w+ ){0,3}(?:negative|clear|free|uninvolved)|\br0\b",
    ),
    Concept("perineural invasion", _T, r"perineural"),
    Concept("growth", _T, r"(?:interval )?(?:growth|increase in size|enlarg\w+|progress\w+)"),
    Concept("cyst", _O, r"cysts?|cystic"),
    Concept("haemangioma", _O, r"ha?emangioma\w*"),
    Concept("pleural effusion", _O, r"pleural effusion\w*"),
    Concept(
        "treated", _O, r"(?:chemo)?emboli[sz]ation|\btace\b|ablat\w+|resect\w+|transplant\w*|sorafenib|hepatectomy"
    ),
)
"""Everything the lexicon knows. The order is the order of the feature columns."""
