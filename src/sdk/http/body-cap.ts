import { RequestError } from '../errors.js';

/**
 * The body as text, or a refusal as soon as it is seen to be larger than `bytesMax`: by Content-Length
 * before a byte is read, else by counting. What is counted is what is held, so after decompression.
 *
 * @throws RequestError protocol; what the stream throws
 */
export async function readText(response: Response, bytesMax: number): Promise<string> {
  if (response.body === null) return '';
  const isPlain = !response.headers.has('Content-Encoding');
  if (isPlain && Number(response.headers.get('Content-Length')) > bytesMax) {
    await response.body.cancel();
    throw tooLarge(bytesMax);
  }
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    if (length > bytesMax) {
      await reader.cancel();
      throw tooLarge(bytesMax);
    }
    text += decoder.decode(value, { stream: true });
  }
}

function tooLarge(bytesMax: number): RequestError {
  return new RequestError('protocol', `the answer is larger than ${bytesMax} B`);
}
