// A wire between a page and its hub that can be cut while the hub lives.

import net from "node:net";

export class Wire {
  static async to(port) {
    const wire = new Wire();
    wire.target = port;
    wire.ends = new Set();
    await wire.mend();
    return wire;
  }

  /** Takes connections, on the same port as before. */
  async mend() {
    this.server = net.createServer((near) => {
      const far = net.connect(this.target, "127.0.0.1");
      for (const [from, to] of [[near, far], [far, near]]) {
        this.ends.add(from);
        from.on("error", () => to.destroy());
        from.on("close", () => {
          this.ends.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
    await new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port ?? 0, "127.0.0.1", resolve);
    });
    this.port = this.server.address().port;
  }

  /** Closes every connection and takes no more. */
  async cut() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.ends.forEach((end) => end.destroy());
    await closed;
  }
}
