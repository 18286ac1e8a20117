/**
 * A port with some of its methods replaced, as faults and planted bugs need it.
 */

/** The object with some of its methods replaced; the others still run on the object itself. */
export function overriding<T extends object>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      const replaced = Reflect.get(methods, name) as unknown;
      if (replaced !== undefined) return replaced;
      const own = Reflect.get(target, name, target) as unknown;
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
