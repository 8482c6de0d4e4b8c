export { createRegistry, type RegistryOptions } from './registry.js';
export * from './types.js';
