#!/usr/bin/env node
/** The installed command of a checkout: old versions of Node.js can't load TypeScript, so that plain JavaScript comes first. */
import './node-version.mjs';
import('./main.ts');
