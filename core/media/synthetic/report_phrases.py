"""The phrases generated reports are put together from: four grades of each finding, from none to marked."""

from __future__ import annotations

from collections.abc import Mapping

Grades = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]

LIVER: Mapping[str, Grades] = {
    "shape": (
        (
            "The liver is normal in size and has a smooth contour.",
            "Hepatic morphology is unremarkable without surface nodularity.",
            "Smooth liver margins with no morphological sign of cirrhosis.",
        ),
        (
            "The liver contour is slightly lobulated.",
            "Mild heterogeneity of the hepatic parenchyma.",
            "Subtle nodularity of the liver surface in keeping with early fibrosis.",
        ),
        (
            "The liver shows a nodular contour compatible with cirrhosis.",
            "Cirrhotic morphology with hypertrophy of the caudate lobe.",
            "Coarse hepatic texture with widened fissures.",
        ),
        (
            "Shrunken, markedly nodular liver consistent with advanced cirrhosis.",
            "End-stage cirrhotic liver with confluent fibrosis.",
            "Severe parenchymal atrophy with a grossly nodular liver surface.",
        ),
    ),
    "ascites": (
        ("No ascites.", "There is no free fluid around the liver.", "No perihepatic fluid."),
        ("Trace perihepatic fluid.", "A thin rim of ascites along the liver edge."),
        ("Moderate ascites.", "Ascites is present in the upper abdomen."),
        ("Large-volume ascites.", "Tense ascites surrounds the liver."),
    ),
    "spleen": (
        ("The spleen is not enlarged.", "No splenomegaly.", "Normal spleen size, no sign of portal hypertension."),
        ("Spleen at the upper limit of normal.", "Borderline splenomegaly."),
        ("Splenomegaly, suggesting portal hypertension.", "The spleen is enlarged."),
        ("Marked splenomegaly due to portal hypertension.", "Massively enlarged spleen with portal hypertension."),
    ),
    "varices": (
        ("No varices are seen.", "No portosystemic collaterals.", "Portal venous flow is hepatopetal without varices."),
        ("A few small perisplenic collaterals.", "Minor paraumbilical collateral."),
        ("Oesophageal and gastric varices.", "Several portosystemic collaterals."),
        (
            "Extensive varices with a large splenorenal shunt.",
            "Large oesophageal varices and recanalised umbilical vein.",
        ),
    ),
    "uptake": (
        (
            "Homogeneous, strong hepatocyte uptake in the hepatobiliary phase.",
            "Vivid parenchymal enhancement on the hepatobiliary phase with prompt biliary excretion.",
        ),
        (
            "Hepatobiliary uptake of the parenchyma is slightly reduced.",
            "Mildly patchy hepatobiliary phase enhancement.",
        ),
        ("Reduced parenchymal uptake in the hepatobiliary phase.", "Delayed biliary excretion of contrast."),
        (
            "Very poor hepatobiliary uptake, indicating impaired liver function.",
            "Hardly any parenchymal enhancement in the hepatobiliary phase.",
        ),
    ),
}

TUMOUR: Mapping[str, Grades] = {
    "enhancement": (
        ("The lesion shows no washout.", "Faint arterial enhancement without washout."),
        (
            "Arterial hyperenhancement of the lesion with equivocal washout.",
            "The nodule enhances in the arterial phase.",
        ),
        (
            "Arterial hyperenhancement with washout in the portal venous phase.",
            "The mass washes out on the delayed phase and has a capsule.",
        ),
        (
            "Avid heterogeneous arterial enhancement with pronounced washout and a thick capsule.",
            "The mass enhances avidly and washes out completely by the portal venous phase.",
        ),
    ),
    "diffusion": (
        ("No diffusion restriction in the lesion.", "The lesion does not restrict diffusion."),
        ("Mild diffusion restriction of the nodule.", "Slightly raised signal of the lesion on diffusion images."),
        ("Restricted diffusion within the tumour.", "The mass restricts diffusion."),
        (
            "Marked diffusion restriction throughout the tumour.",
            "Strongly restricted diffusion in an infiltrative mass.",
        ),
    ),
    "satellites": (
        ("No satellite nodules.", "No further suspicious lesion in the liver."),
        ("A tiny adjacent nodule is indeterminate for a satellite lesion.",),
        ("Satellite nodules next to the dominant mass.", "Several daughter lesions are present."),
        ("Numerous satellite nodules in both lobes.", "Multifocal tumour with innumerable satellites."),
    ),
    "margin": (
        ("The tumour is well circumscribed.", "Sharp tumour margin."),
        ("The tumour margin is mostly smooth.", "Slightly lobulated tumour outline."),
        ("The tumour has an irregular margin.", "Ill-defined border of the mass."),
        ("Diffusely infiltrating tumour without a clear margin.", "Infiltrative tumour growth with central necrosis."),
    ),
    "nodes": (
        ("No enlarged lymph nodes at the liver hilum.", "No evidence of extrahepatic tumour spread."),
        ("A hilar lymph node of 9 mm is not specific for metastasis.",),
        ("Enlarged portocaval lymph nodes suspicious for metastasis.",),
        ("Bulky hilar lymph node metastases.", "Nodal metastases and peritoneal tumour deposits."),
    ),
}

INVASION: Mapping[str, tuple[str, ...]] = {
    "none": ("No vascular invasion by the tumour.", "The portal and hepatic veins are patent without tumour thrombus."),
    "micro": (
        "The tumour abuts a portal branch without thrombus.",
        "Peritumoural arterial halo, microvascular invasion cannot be excluded.",
    ),
    "macro": (
        "Tumour thrombus in the right portal vein.",
        "Macrovascular invasion with enhancing tumour thrombus of the portal vein.",
        "The mass invades the middle hepatic vein.",
    ),
}

LESION = (
    "{count} hepatic mass in segment {segment} measuring {size} cm.",
    "In segment {segment} there is {article} lesion of {size} cm in diameter.",
    "{count} tumour of {size} x {other} cm is centred on segment {segment} of the liver.",
)
LESION_WITHOUT_SIZE = (
    "There is {article} {bulk} mass in segment {segment} of the liver.",
    "{count} {bulk} lesion in segment {segment} of the liver.",
)
FURTHER = (
    "A total of {number} tumour nodules are counted.",
    "Besides the largest tumour the liver holds {more} more of the same kind.",
)

HEDGES = (
    "{}, although motion artefacts limit this assessment.",
    "{}, but this is equivocal.",
    "{}, to be correlated with laboratory values.",
)

HISTORY = (
    "Staging before the multidisciplinary meeting.",
    "Work-up requested by the outpatient clinic.",
    "Follow-up examination as scheduled.",
    "Assessment before treatment is planned.",
)
TECHNIQUE = (
    "Multiphase MRI of the upper abdomen with gadoxetic acid was performed at 3 tesla.",
    "Axial T1-weighted series were acquired before and after contrast at 1.5 tesla.",
    "Breath-hold imaging in five phases with a body coil.",
)
COMPARISON = ("No previous examination is available.", "Compared with an outside CT of limited quality.", "None.")
OTHER = (
    "The gallbladder contains small stones without wall thickening.",
    "The gallbladder is unremarkable.",
    "No dilatation of the common bile duct.",
    "Both kidneys are normal in size.",
    "A simple cortical cyst of 1.4 cm lies in the left kidney.",
    "No hydronephrosis.",
    "The pancreas is unremarkable.",
    "The pancreatic duct is not dilated.",
    "The adrenal glands are normal.",
    "No pleural effusion.",
    "Mild atelectasis at both lung bases.",
    "Degenerative changes of the lumbar spine.",
    "No suspicious bone lesion.",
    "The abdominal aorta is of normal calibre.",
    "Moderate atherosclerosis of the aorta.",
    "Small sliding hiatal hernia.",
    "The visible bowel loops are not dilated.",
    "A vertebral haemangioma in L2 is unchanged.",
)
LIVER_SUMMARY: Grades = (
    ("No sign of chronic liver damage.", "Liver parenchyma without cirrhosis."),
    ("Possible early fibrosis of the liver.", "Mild parenchymal liver changes."),
    ("Cirrhosis with portal hypertension.", "Liver cirrhosis with signs of reduced function."),
    ("Decompensated cirrhosis with portal hypertension.", "Advanced cirrhosis with poor liver function."),
)
TUMOUR_SUMMARY: Grades = (
    ("Small lesion, early hepatocellular carcinoma cannot be excluded.", "Focal liver lesion, LI-RADS 3."),
    ("Findings are suspicious for hepatocellular carcinoma, LI-RADS 4.", "Probable hepatocellular carcinoma."),
    ("Hepatocellular carcinoma, LI-RADS 5.", "Typical hepatocellular carcinoma of considerable extent."),
    ("Advanced hepatocellular carcinoma, LI-RADS 5.", "Extensive hepatocellular carcinoma with aggressive features."),
)
CLOSING = (
    "Clinical correlation is recommended.",
    "Thank you for the referral.",
    "The findings were communicated to the referring team.",
    "No further comment.",
)
