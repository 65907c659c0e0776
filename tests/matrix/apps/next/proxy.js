// A strict policy as Next documents it: its own inline scripts carry a nonce.
import { NextResponse } from "next/server";

export function proxy(request) {
  const policy = `default-src 'self'; script-src 'self' 'wasm-unsafe-eval' 'nonce-${crypto.randomUUID()}'`;
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}
