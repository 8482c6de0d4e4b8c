/** Admission settings across the native edge, where Infinity stands for "no limit". */
import {
  ADMISSION_RATES,
  type AdmissionSettings,
  type AdmissionStatus,
  readAdmission,
} from '../util/admission.js';
import type { NativeAdmission, NativeAdmissionStatus, NativeRate } from './binding.js';

const UNLIMITED: NativeRate = { perSecond: Infinity, burst: Infinity };

/** @throws TransportError bad-option */
export function nativeAdmission(settings: AdmissionSettings): NativeAdmission {
  const native = { ...readAdmission('admission', settings) };
  for (const key of ADMISSION_RATES) {
    if (native[key] === null) native[key] = UNLIMITED;
  }
  return native as NativeAdmission;
}

export function admissionStatus(native: NativeAdmissionStatus): AdmissionStatus {
  return {
    ...native,
    tokenOpens: rateOf(native.tokenOpens),
    handshakes: rateOf(native.handshakes),
    handshakesPerPrefix: rateOf(native.handshakesPerPrefix),
    packetsPerFlow: rateOf(native.packetsPerFlow),
    bytesPerFlow: rateOf(native.bytesPerFlow),
    tokenOpensLeft: finite(native.tokenOpensLeft),
    handshakesLeft: finite(native.handshakesLeft),
  };
}

function rateOf(rate: NativeRate): NativeRate | null {
  return rate.perSecond === Infinity ? null : rate;
}

function finite(value: number): number | null {
  return value === Infinity ? null : value;
}
