"""The words by which files and series are called, in the languages of the scanners: data only.

Lower case, accents left off. English, German, French, Spanish, Portuguese, Italian and Dutch; of
Chinese and Japanese the words that state an agent and the plane, also in Latin letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(rows: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    return MappingProxyType({name: _words(text) for name, text in rows.items()})


WEIGHTINGS = _table(
    {
        "t1": "mprage memprage bravo spgr fspgr irfspgr irspgr efgre3d fspgrir",
        "flair": "flair darkfluid fluidattenuated vflair",
    }
)
"""Sequence -> names of acquisitions that stand for it alone."""

OTHER = _table(
    {
        "a localizer": "loc localizer localiser localizers localisers localizador localizzatore "
        "lokalizer scout scouts aahscout locator survey smartsurvey smartbrain "
        "aahead topogram repere reperage ubersicht uebersicht 3plane planscan",
        "diffusion": "adc eadc dadc dwi dti diff diffusion difusion diffusione diffusie trace "
        "tracew fa colfa b1000 b500 b800 b0 b50 b1500 b2000 sb1000d isodwi ivim resolve "
        "dki noddi hardi dmri kadc",
        "susceptibility": "swi swan swip esswan venobold venbold qsm hemo haemo medic t2star "
        "t2starw merge fsbb bsi suscept susceptibility",
        "perfusion": "perf perfusion perfusie perfusione dsc dce asl pcasl pasl pwi cbf cbv rcbv "
        "rcbf mtt ttp tmax psr dynasusc twist dynamic dynamisch dynamique",
        "function": "bold fmri rfmri tfmri rsfmri rest resting epi ep2d sbref",
        "vessels": "mra smra mrv tof angio angiography angiogram angiographie venography venogram "
        "cemra pca phasecontrast inhance tricks carotid carotids carotide karotis csfflow cine "
        "qflow",
        "spectroscopy": "mrs csi spectro spectroscopy spektroskopie svs mrsi",
        "calibration": "calibration calib asset refscan fieldmap fieldmapping shim b0map b1map "
        "coilsens prescan sensitivity mrac navigator vnav vnavs navecho",
        "made from other series": "mip minip mpvr reformat reformatted reformats subtraction "
        "sub subs subtr subtracted subtract subtraktion subtraktionen subtrahiert soustraction "
        "soustr "
        "sottrazione sustraccion substraccion resta restada subtracao subtractie substractie "
        "substraction aftrekking difference differenz delta screen screenshot screensave "
        "screensaves capture report fused fusion fusioniert overlay projection vr vrt ssd "
        "rendering rendered curved dividedby ratio",
        "a mask or a map made from the image": "mask masks contour itksnap seg segm segmentation "
        "dseg aseg aparc prob probability probabilities probmap pve pveseg biasfield biasmap "
        "warp warpfield jacobian deformation displacement gm wm thickness heatmap saliency gradcam "
        "uncertainty histogram "
        "tractography rtstruct contours pred prediction predicted label labels",
        "a generated image": "fake pseudo virtual synthetic synthesized synthesised synthesis "
        "generated simulated",
        "a map": "map maps mapping karte t1map t2map r1map r2map r2star pdmap relaxometry rho "
        "t1rho t2rho qt1 qt2 symri unit1 magic mtr multiecho cpmg mese vfa",
        "a fat, water or phase image": "phase pha fat inphase outphase oop opposed opp real imag "
        "imaginary",
        "proton density": "pd pdw proton protondensity",
        "short-tau inversion recovery": "stir stirw",
        "double inversion recovery": "dir doubleir doubleinversion",
        "another contrast": "ciss ci3d fiesta fiestac truefisp trufi bffe mp2rage psir psif wmn "
        "fgatir inv1 inv2 ute zte mrcp "
        "epimix mtrasym",
    }
)
"""Contents of an image other than T1, T2 or FLAIR -> words for them."""

ELSEWHERE = _table(
    {
        "the spine": "spine cspine tspine lspine cervical thoracic dorsal lumbar lumbosacral "
        "sacrum myelogram myelographie hws bws lws "
        "wirbelsaule wirbelsaeule ws rachis cervicale lombaire lombare columna "
        "colonna coluna wervelkolom cwk lwk myelo spinal medulla cord "
        "ctspine tlspine wholespine",
        "a part of the head": "orbit orbits orbita orbitas orbite orbites augenhohle "
        "augenhoehle iac iacs cpa khb khbw innenohr felsenbein rocher rochers ohr sella selle "
        "hypophyse hypophysis hypophysaire pituitary ipofisi ipofisaria hipofisis hipofise "
        "hypofyse nnh paranasal sinuses nasennebenhohlen tmj kiefergelenk atm trigeminus "
        "trigeminal face facial gesicht gesichtsschadel gesichtsschaedel hippocampus "
        "hippocampe hipocampo ippocampo hippocampi",
        "a fetus": "fetal fetus foetal fotal fetale fetaal",
        "the neck": "neck hals cou cuello collo nek larynx thyroid parotid parotis brachial "
        "brachialis",
        "a limb": "knee knie genou rodilla ginocchio shoulder schulter epaule hombro spalla "
        "schouder hip hufte hanche cadera ankle sprunggelenk cheville wrist handgelenk poignet "
        "elbow ellenbogen coude foot fuss pied hand finger thigh calf femur extremity",
        "the trunk": "chest thorax breast brust sein mama mamma heart cardiac herz coeur "
        "abdomen abdo liver leber foie higado fegato lever kidney niere pelvis becken bassin "
        "prostate prostata uterus rectum pancreas",
    }
)
"""Another part of the body than the head -> words that name it."""
HEAD = _words(
    "brain head cerveau crane cranien tete encephale kopf schadel schaedel hirn gehirn cabeza "
    "cerebro craneo encefalo cranio testa cervello hersenen hoofd schedel cranial cerebral neuro "
    "skull wholebrain glioma gbm headbrain"
)
"""Words that name the head."""

CONTRAST = _words(
    "gd gad gado gada gadolinium gadolinio gadolinum gddtpa dtpa contrast contrasts contraste "
    "contrasto kontrast kontrastmittel contrastmiddel contraststof contr km ivkm kmiv mdc civ pdc "
    "enhanced enhancement enh contrasted contrastado contrastada reforzado realzado "
    "realce rehausse rehaussement injection injecte injectee inj inject injected injektion "
    "injectie injeccion inyeccion inyectado injecao injetado iniezione gbca gadovist gadavist "
    "gadobutrol gadograf gadoterate gadoteridol gadopentetate gadobenate gadodiamide gadopiclenol "
    "gadoxetate dotarem dotagraf magnevist magnegita magnograf prohance multihance omniscan omni "
    "clariscan optimark vueway elucirem primovist eovist ablavar vasovist artirem feraheme "
    "ferumoxytol cmdc tehosteella tehostetta tehosteaine "
    "zengqiang 增强 增強 zouei zoei 造影 造影剤 造影后 造影後 强化 強化 "
    "kontrascie контраст контраста контрастом контрастное контрастирования контрастированием"
)
"""Words for a contrast agent, or for an image that shows one."""
AGENT_STARTS = ("gado", "gada", "gd", "kontrast", "contrast")
"""Trade names, substances and compounds begin like this."""
DENYING_ENDS = ("frei", "freie", "free", "fri", "fritt", "los", "loos", "less", "siz", "suz")
"""Ends of words for an agent that deny it."""
PERHAPS_CONTRAST = _words("enhancing pc cm pos dose hc")
"""With a T1 these can mean an agent, or something else: a tumour that enhances, phase contrast."""
AFTER = _words(
    "post after following nach apres despues tras dopo na apos pos depois delayed tardif tardive "
    "efter etter po nakon poslije после"
)
"""After; the next word states whether after an agent."""
BEFORE = _words(
    "pre prae pra before prior vor avant antes prima voor ante fore foer przed prije до"
)
"""Before; the next word states whether before an agent."""
POST_ALONE = frozenset(("post", "delayed", "tardif", "tardive"))
"""Words for a state after contrast without the name of an agent."""
WITHOUT = _words(
    "without wo no non not un minus ohne o sans sin sem senza zonder geen kein keine "
    "utan uden uten bez fara ilman без"
)
"""Words that deny what follows them."""
WITH = _words("with w plus mit m avec con com met med cu с")
"""Words that affirm what follows them."""
AND = frozenset(("and", "und", "u", "et", "y", "e", "en", "then", "n", "ed", "or", "oder"))
DENIED_BEHIND = _words("free none nein nee nej nei nelkul")
"""Words that deny the agent that they follow."""
DENIED_BETWEEN = frozenset(("no", "non"))
"""Words that deny the agent that they follow, or the word that follows them."""
NO_ANSWER = _words("n a na nil null unknown unbekannt 0 not applicable available")
"""Words in the place of an agent that state nothing."""
DENIALS = WITHOUT | _words("none ninguno nessuno aucun keines")
"""Words in the place of an agent that state that there was none."""
AFFIRMATIONS = _words("yes y ja oui si ce c agent")
"""Words in the place of an agent that state that there was one."""
UNENHANCED = _words(
    "unenhanced nonenhanced noncontrast noncon noncontrasted nongd nongad nativ natif nativo "
    "basale basal blanco nce precon smdc pingsao 平扫 平掃 tanjun 単純"
)
"""Before or without an agent, alone."""
NATIVE = "native"
"""Before an agent, or in the space of the examination: weaker than any other word."""
BETWEEN = _words(
    "iv i v intravenous intraveineuse intravenoso ev de di du d des der des del della dell dello "
    "do da dos al to of the any mezzo medio meio produit agent dye medium media l el la le los un "
    "gabe von administration administracion administracao somministrazione toediening "
    "podaniu podani"
)
"""Words that may stand between a preposition and the agent."""
NOT_AGENT = _words(
    "op ops operative operation operatif operatorio operatoire surgery surgical surg chirurgie "
    "resection biopsy bx rt rad rads radiation radio radiotherapy xrt treatment tx therapy "
    "therapie chemo crt treat treated scan norm normalize processed proc process processing "
    "preproc mortem natal partum traumatic trauma stroke ictal intervention training baseline "
    "implant embolization embo srs gk dbs shunt fossa craniotomy tmz temozolomide bevacizumab "
    "avastin steroid steroids evd vp stent clip clipping coiling hoc hospital discharge "
    "exposure seizure lesionectomy lobectomy kraniotomie bestrahlung strahlentherapie"
)
"""What else one can be before or after."""
TIMES = _words("day days d tag tage week weeks wk wks month months mo mos year years yr")
"""Behind a number, after or before which these make it a time of follow-up, not an agent."""
GRADIENT_ECHOES = frozenset(("gre", "fgre", "mpgr", "ffe", "fl2d", "fl3d", "flash", "gradient"))
"""A T2 scanned like this is T2*."""
EXAMINATION = frozenset(("multi", "tissue", "soft", "image"))
"""Before ``contrast`` these make it the contrast of an image, not an agent."""

PLANES = _words(
    "ax axial axiale axiaal axiaux aksial assiale assiali tra trans transversal transverse "
    "transversaal transversaux cor coronal coronale coronaal koronal koronar koronare sag sagittal "
    "sagittale sagittaal sagital obl oblique oax osag ocor"
)
"""Planes, which nobody denies."""
FAT_SUPPRESSION = _words("fs fatsat fat sat spir spair spectral we mt fc flow")
"""Techniques that are switched on or off: a denial before them is of them."""
TECHNIQUES = PLANES | _words(
    "se tse fse frfse tfse haste gre ge gr tfe ffe tfl flash fl2d fl3d fl vibe space spc vista "
    "cube isofse primefse blade propeller multivane mvxd jet radial star dixon mdixon ideal lava "
    "thrive quick3d tirm tir ir irse irtse irfse mpr mpr1 mpr2 spc1 ssfse single shot 3d 2d "
    "fs fatsat spir spair spectral sat we iso isotropic hires "
    "highres thin thick stealth nav brainlab brain head sense smart wip cs csense p2 p3 p4 mt "
    "fc comp image img images weighted wi acpc dc restore n4 bias corrected norm "
    "reg registered coreg coregistered resampled rsl warped stripped skullstripped unstripped "
    "ss bet orig anon defaced deface preproc preprocessed final space mm nd dis2d dis3d "
    "1mm mni raw restored denoised bfc lps ras rai las lpi lia sri sri24 rsri fluid skull "
    "fase fsp zhouwei 轴位 軸位 shizhuang 矢状 矢状位 guanzhuang 冠状 冠状位 "
    "hengduan 横断 横断位"
)
"""Words for how an image was made; they name neither a sequence nor a patient."""
INDICATIONS = _words(
    "tumor tumors tumour tumours tumeur tumore hirntumor metastases metastasen mets met "
    "glioblastom gliom ms epilepsy epilepsie stroke schlaganfall demenz dementia"
)
"""Why a series was made. In names of files these may be of masks."""
HARMLESS = _words(
    "kurz lang schnell fein routine standard dr prof kopfspule headcoil spule coil "
    "biascorr nonlin fullfov bb dante histnorm zscored minmax rescaled eq tilt anon adni "
    "acc br accelerated acq affine airrecon aligned and anonymised anonymized ants "
    "b1 baseline bet black blood both breathhold caipi cap captk chunk clear copy "
    "corr correct correction coupe coupes crop cropped crp cut cyberknife deepresolve "
    "deformable degibbs degibbsed deidentified denoise desc distortion dl drive duenn dunn "
    "dwarp echo eg elastix es exam extracted extraction fast first flirt fnirt followup frame "
    "free fu full fullbrain gammaknife gibbs gradientecho gradwarp grappa hdbet histmatch hr "
    "intra iso1mm isotrop isotrope isotropique linac long longtr lr m1 mag "
    "magnitude masked min mins minutes mni152 mr mri ms n3 n4itk navigation neuro neuronav "
    "neuronavigation new nii nlm no2 normalise normalised normalize normalized noskull ns old "
    "ori pad padded planning post1 post2 processed protocol pseudonymized quick rec "
    "recon redo reorient reoriented rep repeat resample resampling rigid robustfov rpt run "
    "scan scans schicht schichten second seq sequence serie series session shc short "
    "sides skullstrip sl slab slice slices spin spinecho srs std stealthstation "
    "straight strip study surgnavsys synthstrip talairach te tera thickslab third ti time "
    "timepoint tr turbo unbiased unring vessel view visit vol volume wall weighting whitestripe "
    "whole wtd znorm zscore rout stereo delrec"
)
"""Words for how, when or where an image was made, or for an examination; no sequence."""
VISITS = _words(
    "baseline first second third followup fu intra new old planning post1 post2 visit view session "
    "study timepoint exam scan scans run rep repeat rpt rec recon redo echo time long b1 m1"
)
"""Those of ``HARMLESS`` that tell examinations, or images of one sequence, apart."""
PROCESSING = _words(
    "n4 n4itk n3 bias biascorr corr corrected correction norm normalise normalised normalize "
    "normalized brain skull stripped skullstripped skullstrip noskull unstripped ss bet hdbet "
    "strip synthstrip reg registered coreg coregistered aligned rigid affine elastix ants flirt "
    "fnirt resampled resample rsl warped dwarp raw orig original restored denoised denoise bfc "
    "lps ras rai las lpi lia sri sri24 rsri mni mni152 defaced deface preproc preprocessed proc "
    "processed final zscore zscored znorm whitestripe histmatch histnorm cropped crop padded eq "
    "tilt iso1mm "
    "1mm native to r2s"
)
"""Words for what was done to an image after its reconstruction: several files of one image."""
NO_IDENTIFIER = _words(
    "pet petct petmr spect fdg fet fdopa ct acr mni152 mni icbm152 icbm colin27 ch2 template "
    "templates atlas average c1 c2 c3 c4 c5 c6 not nondiagnostic undiagnostic failed aborted "
    "incomplete reject rejected discard discarded unusable bad wrong"
)
"""Words that may mean another image even in front of the sequence, where file names have an
identifier: another modality, a test object, a template, a tissue map of SPM, a failed scan."""
PREFIXES = ("sag", "cor", "ax", "tra", "3d", "2d", "wip", "inplane", "hr", "fs", "ir", "co",
            "wmr", "wm", "wr", "s", "e", "r", "w", "m", "o")  # fmt: skip
"""What stands before ``t1`` and ``t2`` in one word, on scanners and from SPM. Not ``d``: ``dT1`` is
a difference of two T1."""
