"""The plugin's enums as the schema shows them: types import them from here."""

from loyalty_graphql.enums import exposed
from loyalty_partners.agreements import AgreementKind as AgreementKind
from loyalty_partners.agreements import AgreementState as AgreementState
from loyalty_partners.agreements import TermsState as TermsState
from loyalty_partners.export import ExportFormat as ExportFormat
from loyalty_partners.legs import LegState as LegState
from loyalty_partners.movement import MovementKind as MovementKind
from loyalty_partners.remote.day import DayState as DayState
from loyalty_partners.statement import StatementState as StatementState
from loyalty_tenants.peers import PeerStatus as PeerStatus

exposed(
    AgreementKind,
    name="PartnershipKind",
    description="What two brands do with each other.",
    values={
        AgreementKind.EXCHANGE: "Members turn points of the one into points of the other.",
        AgreementKind.ISSUING: "An outside brand gives our members our points and pays for them.",
        AgreementKind.COALITION: "Points that one brand keeps are earned and spent at the other.",
    },
)
exposed(
    AgreementState,
    name="PartnershipState",
    description="Where an agreement stands; the same on both sides.",
    values={
        AgreementState.PROPOSED: "The other side has not accepted it yet.",
        AgreementState.ACTIVE: "In force.",
        AgreementState.SUSPENDED: "One side or both stopped it for a while.",
        AgreementState.ENDED: "Over for good; what is open is still settled.",
    },
)
exposed(
    TermsState,
    name="PartnerTermsState",
    description="Where terms stand; the same on both sides.",
    values={
        TermsState.PROPOSED: "The other side has not accepted them yet.",
        TermsState.ACCEPTED: "Agreed on by both.",
        TermsState.WITHDRAWN: "Withdrawn by whoever proposed them.",
    },
)
exposed(
    MovementKind,
    name="PartnerMovementKind",
    description="What a line of a clearing account stands for.",
    values={
        MovementKind.EXCHANGE: "A member's points became the other brand's.",
        MovementKind.ISSUE: "An outside brand gave a member points of ours.",
        MovementKind.EARN: "Points were earned at one brand that the other keeps.",
        MovementKind.BURN: "Points that one brand keeps were spent at the other.",
        MovementKind.REVERSAL: "Undoes a line, or a part of it.",
        MovementKind.CORRECTION: "Takes a line back that was disputed with good reason.",
        MovementKind.PACK: "Points that an outside brand bought ahead.",
        MovementKind.SETTLEMENT: "A statement was paid.",
        MovementKind.VOID: "Takes an exchange out that a partner elsewhere never credited.",
    },
)
exposed(
    StatementState,
    name="PartnerStatementState",
    description="Where a statement stands; the same on both sides.",
    values={
        StatementState.OPEN: "Nobody proposed it: its figures follow its lines.",
        StatementState.PROPOSED: "One side proposed it; its figures stand.",
        StatementState.AGREED: "Both agreed on it; it is to be paid.",
        StatementState.DISPUTED: "Lines of it are disputed and left out; the others stand.",
        StatementState.SETTLED: "Paid.",
    },
)
exposed(
    LegState,
    name="PartnerExchangeState",
    description="How far an exchange has come. With another installation it goes leg by leg.",
    values={
        LegState.PENDING: "The points have left; what the partner did is not known yet.",
        LegState.CREDITED: "The partner has credited them.",
        LegState.SETTLED: "Both sides know it.",
        LegState.VOIDED: "Nothing was credited and nothing will be; the points are back.",
        LegState.WRITTEN_OFF: "The partner never said; we gave the points back and bear it.",
    },
)
exposed(
    PeerStatus,
    name="RemotePartnerStatus",
    description="How far two installations have come with each other.",
    values={
        PeerStatus.WAITING: "One side invited; the other has not entered the invitation.",
        PeerStatus.ACTIVE: "Both sides have accepted.",
        PeerStatus.ENDED: "Over; no call is heard any more.",
    },
)
exposed(
    DayState,
    name="PartnerDayState",
    description="What came of comparing a day with a partner elsewhere.",
    values={
        DayState.MATCHED: "Both halves say the same.",
        DayState.WAITING: "Some of its exchanges are under way: it is looked at again.",
        DayState.DIFFERS: "The halves differ; the exchanges that do are named.",
    },
)
exposed(
    ExportFormat,
    description="How a statement's file is written.",
    values={
        ExportFormat.CSV: "Comma-separated: a row of figures, an empty one, then the lines.",
        ExportFormat.JSON: "One object: the figures, and the lines as a list.",
    },
)
