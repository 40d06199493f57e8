// A port on which nobody answers, and which counts who knocks.

import net from "node:net";

export class Door {
  knocks = 0;

  /** Takes every connection to a port of this host, and closes it at once. */
  static async on(port) {
    const door = new Door();
    door.server = net.createServer((socket) => {
      door.knocks++;
      socket.destroy();
    });
    await new Promise((resolve, reject) => door.server.once("error", reject).listen(port, "127.0.0.1", resolve));
    return door;
  }

  close() {
    return new Promise((resolve) => this.server.close(resolve));
  }
}
