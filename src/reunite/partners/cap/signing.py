"""XML signatures of CAP messages (CAP 1.2, 3.3.4.1: enveloped, XML-Signature)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import XMLVerifier

from reunite.kernel.errors import InvalidInputError
from reunite.partners.cap.alert import CapAlert
from reunite.partners.cap.reading import ALERT_LIMITS, from_element
from reunite.partners.xml import parse_document

RSA_BITS = 3072
SELF_SIGNED_FOR = timedelta(days=3650)
CLOCK_SLACK = timedelta(hours=1)
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its certificate, both PEM."""

    private: bytes
    certificate: bytes

    def __repr__(self) -> str:
        return "SigningKey(…)"  # never in a log


class SignatureState(StrEnum):
    """What is known about who made a message."""

    VALID = "valid"  # signed with the certificate that is on record for the sender
    UNSIGNED = "unsigned"
    UNKNOWN = "unknown"  # signed, but by nobody on record
    INVALID = "invalid"  # changed after it was signed, or signed by somebody else


def make_signing_key(name: str, at: datetime) -> SigningKey:
    """A fresh RSA key with a certificate signed by itself, for hosts without their own."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - CLOCK_SLACK)
        .not_valid_after(at + SELF_SIGNED_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    return SigningKey(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        certificate.public_bytes(serialization.Encoding.PEM),
    )


def sign(element: etree._Element, key: SigningKey) -> etree._Element:
    """The message with an enveloped signature, RSA with SHA-256, and the certificate in it."""
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    return signer.sign(element, key=key.private, cert=key.certificate.decode())


def read_signed(data: bytes, certificate: bytes | None) -> tuple[CapAlert, SignatureState]:
    """A message of somebody else, and what its signature is worth.

    ``certificate`` is the PEM on record for the sender.  Where the signature holds, the message
    is read from what was signed and from nothing else, so that nobody can wrap a forged alert
    around a genuine one.  Raises what ``cap.reading`` raises.
    """
    root = parse_document(data, ALERT_LIMITS)
    if root.find(f".//{SIGNATURE}") is None:
        return from_element(root), SignatureState.UNSIGNED
    if certificate is None:
        return from_element(root), SignatureState.UNKNOWN
    try:
        # A certificate that the operator has put on record needs no authority behind it.
        verified = XMLVerifier().verify(data, x509_cert=certificate.decode())
    except (SignXMLException, ValueError, etree.XMLSyntaxError):
        return from_element(root), SignatureState.INVALID
    results = verified if isinstance(verified, list) else [verified]
    for result in results:
        if result.signed_xml is not None:
            return from_element(result.signed_xml), SignatureState.VALID
    raise InvalidInputError("cap_not_cap")
