// Five bodies that attract each other: floating point and properties.
(() => {
  const body = (x, y, z, vx, vy, vz, mass) => ({ x, y, z, vx, vy, vz, mass })
  const bodies = [
    body(0, 0, 0, 0, 0, 0, 39.47),
    body(4.84, -1.16, -0.1, 0.6, 2.81, -0.02, 0.037),
    body(8.34, 4.12, -0.4, -1.01, 1.82, 0.008, 0.011),
    body(12.89, -15.11, -0.22, 1.08, 0.86, -0.01, 0.0017),
    body(15.37, -25.91, 0.17, 0.97, 0.59, -0.03, 0.002),
  ]
  const advance = (dt) => {
    for (let i = 0; i < bodies.length; i++) {
      const a = bodies[i]
      for (let j = i + 1; j < bodies.length; j++) {
        const b = bodies[j]
        const dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z
        const square = dx * dx + dy * dy + dz * dz
        const force = dt / (square * Math.sqrt(square))
        a.vx -= dx * b.mass * force
        a.vy -= dy * b.mass * force
        a.vz -= dz * b.mass * force
        b.vx += dx * a.mass * force
        b.vy += dy * a.mass * force
        b.vz += dz * a.mass * force
      }
    }
    for (const body of bodies) {
      body.x += dt * body.vx
      body.y += dt * body.vy
      body.z += dt * body.vz
    }
  }
  for (let step = 0; step < 6000; step++) advance(0.001)
  return Math.round(bodies[1].x * 1e9)
})()
