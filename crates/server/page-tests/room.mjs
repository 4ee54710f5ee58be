// A folder of drawn pictures, the server that serves it, and a browser that looks at it.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const LINJIN = process.env.LINJIN ?? 'linjin';
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

// Marsaglia's xorshift: the same pictures in every run.
function dice(seed) {
  let state = (seed * 2654435761 + 12345) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

// Bands of two colours and a disc of a third one, different for each seed; `part` cuts out [left, top, right, bottom].
export function drawing(seed, width, height, part = [0, 0, 1, 1]) {
  const next = dice(seed + 1);
  for (let i = 0; i < 9; i++) next();
  const colours = [0, 1, 2].map(() => [0, 1, 2].map(() => Math.floor(next() * 255)));
  const [x0, y0, radius, bands, slope] = [0.2 + next() * 0.6, 0.2 + next() * 0.6, 0.12 + next() * 0.2, 1 + next() * 9, next() * 2 - 1];
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = part[0] + (part[2] - part[0]) * (x / width);
      const v = part[1] + (part[3] - part[1]) * (y / height);
      const disc = (u - x0) ** 2 + (v - y0) ** 2 < radius ** 2;
      const colour = disc ? colours[2] : colours[Math.floor((u + slope * v) * bands) & 1];
      for (let i = 0; i < 3; i++) rows[y * (width * 3 + 1) + 1 + x * 3 + i] = colour[i] * (0.65 + 0.35 * v);
    }
  }
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32 ? crc32(body) : slowCrc(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([magic, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

// Older versions of Node have no crc32.
function slowCrc(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return (sum ^ -1) >>> 0;
}

export class Room {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'linjin-page-'));
  }

  write(name, bytes) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return path;
  }

  // `count` pictures of several shapes in two folders, a copy, a smaller one, and a file that is none.
  fill(count = 60) {
    const shapes = [[150, 100], [100, 140], [180, 90], [120, 120]];
    for (let seed = 0; seed < count; seed++) {
      const [width, height] = shapes[seed % shapes.length];
      this.write(`${seed % 2 ? 'summer' : 'winter'}/picture-${String(seed).padStart(3, '0')}.png`, drawing(seed, width, height));
    }
    this.write('copies/same.png', drawing(4, 150, 100));
    this.write('copies/small.png', drawing(8, 75, 50));
    this.write('broken.jpg', 'no picture');
  }

  // Starts `linjin serve` and waits until it answers.
  async serve(...more) {
    this.server = spawn(LINJIN, ['serve', '--images', this.folder, '--port', '0', ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.base = await new Promise((found, failed) => {
      this.server.stdout.on('data', text => {
        const address = /http:\/\/\S+(?=\/)/.exec(text)?.[0];
        if (address) found(address);
      });
      this.server.on('exit', code => failed(new Error(`linjin serve ended with ${code}`)));
      this.server.on('error', failed);
    });
  }

  // Waits until the folder is indexed.
  async indexed(files) {
    for (let i = 0; i < 300; i++) {
      const { pictures } = await this.json('/api/state');
      if (pictures.model && pictures.files >= files && !pictures.indexing.running) return;
      await new Promise(later => setTimeout(later, 100));
    }
    throw new Error('not indexed');
  }

  async json(path) {
    return (await fetch(this.base + path)).json();
  }

  async id(name) {
    return (await this.json(`/api/pictures?limit=1&name=${name}`)).ids[0];
  }

  async end() {
    if (this.server?.exitCode === null) {
      const ended = new Promise(done => this.server.on('exit', done));
      this.server.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function browser() {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}
