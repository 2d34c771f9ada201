/** Certificates for tests: an authority of their own, and whatever it is asked to certify. */

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import forge from 'node-forge'

/** A certificate chain and its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateWish {
  readonly hostnames: readonly string[]
  /** Days from now on which it begins and ends to be valid: yesterday and tomorrow by default. */
  readonly validDays?: readonly [from: number, to: number]
}

export interface Authority {
  /** What whoever trusts it is given. */
  readonly cert: string
  issue(wish: CertificateWish): Certificate
}

const DAY_MS = 86_400_000

/** Makes an authority that nobody trusts unless told to. */
export function createAuthority(name: string): Authority {
  const own = generateKeys()
  const certify = (
    subject: string,
    key: forge.pki.PublicKey,
    [from, to]: readonly [number, number],
    extensions: object[],
  ) => {
    const certificate = forge.pki.createCertificate()
    certificate.publicKey = key
    certificate.serialNumber = `01${randomBytes(8).toString('hex')}`
    // The system's clock decides: TLS knows no other.
    certificate.validity.notBefore = new Date(Date.now() + from * DAY_MS)
    certificate.validity.notAfter = new Date(Date.now() + to * DAY_MS)
    certificate.setSubject([{ name: 'commonName', value: subject }])
    certificate.setIssuer([{ name: 'commonName', value: name }])
    certificate.setExtensions(extensions)
    certificate.sign(own.privateKey, forge.md.sha256.create())
    return forge.pki.certificateToPem(certificate)
  }
  return {
    cert: certify(name, own.publicKey, [-1, 1], [{ name: 'basicConstraints', cA: true, critical: true }]),
    issue({ hostnames, validDays = [-1, 1] }) {
      const leaf = generateKeys()
      const altNames = hostnames.map((value) => (isIP(value) === 0 ? { type: 2, value } : { type: 7, ip: value }))
      return { cert: certify('leaf', leaf.publicKey, validDays, [{ name: 'subjectAltName', altNames }]), key: leaf.pem }
    },
  }
}

function generateKeys() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const privatePem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const parsed = forge.pki.privateKeyFromPem(privatePem)
  return { pem: privatePem, privateKey: parsed, publicKey: forge.pki.setRsaPublicKey(parsed.n, parsed.e) }
}
